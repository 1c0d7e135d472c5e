"""/api/agents/{key}/...: Agents are made active, inactive or paused, one or many, and started by hand."""

from typing import Annotated, Any
from uuid import uuid4

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.agent_kinds import AgentStatus, Visibility
from contracts.agents import AgentKey
from contracts.envelope import Identifier
from contracts.lifecycle import Shutdown
from contracts.manual_runs import AgentExecuteRequested, AgentExecuteRequestedData, ManualTarget
from services.gateway.agent_access import agent_to_write
from services.gateway.agent_lifecycle import WantedStatus, change_status
from services.gateway.agent_views import PlannedStatusView
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.fields import Object, ZonedMoment
from services.gateway.lifecycle_views import status_answer
from services.gateway.manual_runs import check_startable, runnable, start
from services.gateway.routes.agents import Whose
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import DecisionView, StartedRun, View
from shared.errors import Permanent

log = structlog.get_logger()
router = APIRouter(tags=["agents"])

Document = dict[str, Any]
_MOST_AT_ONCE = 200
_SOURCE = "/towpath/gateway/agents"


class StatusChange(BaseModel):
    """The status that an Agent is to have, and what becomes of its open runs.

    `confirm` is needed when runs would be cancelled. `at` is the moment of a `scheduled` shutdown.
    """

    model_config = ConfigDict(extra="forbid")

    status: AgentStatus
    shutdown: Shutdown = Shutdown.GRACEFUL
    at: Annotated[ZonedMoment | None, Field(description="Only, and always, with shutdown = scheduled.")] = None
    confirm: bool = False
    reason: Annotated[str, Field(max_length=2_000, description="Why; kept with the change.")] = ""


class BulkChange(StatusChange):
    """The status that several Agents are to have, each by its key."""

    keys: Annotated[list[AgentKey], Field(min_length=1, max_length=_MOST_AT_ONCE)]
    visibility: Visibility | None = None


class StatusAnswer(View):
    """The status now, what is planned, and how many runs this change has cancelled or is stopping."""

    key: str
    visibility: str
    status: str
    planned_status: PlannedStatusView | None
    cancelled: int
    cancelling: int


class BulkResult(View):
    """What became of one key: `code` and `detail` say why it was refused, and are null when it was not."""

    key: str
    status: str | None
    code: str | None
    detail: str | None


class BulkAnswer(View):
    results: list[BulkResult]


class ExecuteRequest(BaseModel):
    """What a run that is asked for is to work on, and with what.

    `user` is for backends and admins; the caller without it. The same `request_id` again is the same run.
    """

    model_config = ConfigDict(extra="forbid")

    project: Identifier | None = None
    user: Identifier | None = None
    target: ManualTarget | None = None
    input: Object | None = None
    request_id: Identifier | None = None


class ExecuteAnswer(View):
    """The run that was started. `pending`: the gate has not answered yet, and this is the run unless it refuses."""

    agent_run: StartedRun
    event_id: str
    decisions: list[DecisionView]
    pending: bool


@router.put("/api/agents/{key}/status", response_model=StatusAnswer, responses=problems(409))
async def put_status(request: Request, key: str, change: StatusChange, visibility: Whose = None) -> Response:
    """Set the status of an Agent; obeyed everywhere within a second, also for runs that wait or are claimed.

    A change that would cancel runs is refused unless it is confirmed; the refusal says what would happen.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(await _set(gateway, caller, key, change, visibility))


@router.post("/api/agents/bulk", response_model=BulkAnswer)
async def change_many(request: Request, change: BulkChange) -> Response:
    """Set the status of several Agents; what is refused for one keeps no other from being done."""
    gateway, caller = gateway_of(request), await caller_of(request)
    results = []
    for key in dict.fromkeys(change.keys):
        try:
            done = await _set(gateway, caller, key, change, change.visibility)
        except Permanent as error:
            results.append({"key": key, "status": None, "code": error.code, "detail": error.message})
        else:
            results.append({"key": key, "status": done["status"], "code": None, "detail": None})
    return json_answer({"results": results})


async def _set(
    gateway: Gateway, caller: Caller, key: str, change: StatusChange, visibility: Visibility | None
) -> Document:
    agent = await agent_to_write(gateway, caller, key, visibility)
    wanted = WantedStatus(change.status, change.shutdown, change.at, change.reason, is_confirmed=change.confirm)
    changed = await change_status(gateway, caller, agent, wanted)
    return status_answer(changed.agent, changed.runs)


@router.post("/api/agents/{key}/execute", status_code=202, response_model=ExecuteAnswer, responses=problems(409))
async def execute_agent(request: Request, key: str, wanted: ExecuteRequest | None = None) -> Response:
    """Start a run of an Agent by hand. It is recorded, gated and explained like any other.

    A disabled Agent is refused with the binding that decided it. The runs of a paused one are queued and wait.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    wanted = wanted or ExecuteRequest()
    user = caller.on_behalf_of(wanted.user)
    found = await runnable(gateway, caller, key, wanted.project, user)
    check_startable(found)
    data = AgentExecuteRequestedData(agent_key=key, requested_by=caller.user, target=wanted.target, input=wanted.input)
    event = AgentExecuteRequested(
        id=wanted.request_id or uuid4().hex,
        source=_SOURCE,
        organisationid=caller.organisation,
        projectid=wanted.project,
        userid=user,
        data=data,
    )
    answer = await start(gateway, event, found.version.number)
    log.info("agent.execute_requested", agent=key, run_id=answer["agent_run"]["id"], by=caller.user)
    return json_answer(answer, 202)
