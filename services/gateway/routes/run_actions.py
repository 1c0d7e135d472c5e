"""What people ask of runs: to end, one or many, and to explain themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.cancelling import cancel_runs
from services.gateway.explain import Surroundings, explain
from services.gateway.fields import Moment, Text
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import CancelAnswer, ExplainAnswer, RunView, run_view
from services.gateway.visible import visible_run
from shared.domain.run import RunStatus
from shared.domain.words import utc_text
from shared.errors import Conflict

router = APIRouter(tags=["agent runs"])

_COUNT_AT_MOST = 10_000

Document = dict[str, Any]


class RunEnded(Conflict):
    """The run has ended, so it cannot be cancelled any more."""

    code = "run_ended"


class CancelOne(BaseModel):
    """Why somebody wants a run to end; kept with the run."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str | None, Field(max_length=2_000)] = None


class CancelMany(CancelOne):
    """Which active runs are to end: those of one user, or with `all_users` of the organisation, that match all else."""

    status: Annotated[
        list[RunStatus] | None, Field(description="`queued`, `running` or both; without it both.", max_length=2)
    ] = None
    agent_key: Text | None = None
    project: Text | None = None
    event_type: Text | None = None
    target_type: Text | None = None
    target_id: Text | None = None
    queued_before: Moment | None = None
    user: Annotated[Text | None, Field(description="Another user, for backends and admins.")] = None
    all_users: Annotated[bool, Field(description="The whole organisation, for backends and admins.")] = False
    replays: Annotated[bool, Field(description="Also the runs of replays, which go on otherwise.")] = False


@router.post("/api/agent-runs/cancel", response_model=CancelAnswer)
async def cancel_agent_runs(request: Request, wanted: CancelMany) -> Response:
    """End every queued run that matches, and ask for the end of those that are running."""
    gateway, caller = gateway_of(request), await caller_of(request)
    query = {**caller.whose(wanted.user, all_users=wanted.all_users), **_conditions(wanted)}
    result = await cancel_runs(gateway, caller, query, wanted.reason)
    return json_answer({"cancelled": result.cancelled, "cancelling": len(result.cancelling) + len(result.requeued)})


@router.post(
    "/api/agent-runs/{run_id}/cancel",
    response_model=RunView,
    responses={202: {"model": RunView, "description": "Its runner is told to end it"}, **problems(409)},
)
async def cancel_agent_run(request: Request, run_id: str, wanted: CancelOne | None = None) -> Response:
    """End one run. A queued one has ended with the answer; a running one is `cancelling` until its runner confirms it.

    Cancelling it again is the same answer.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    await visible_run(gateway, caller, run_id)
    query = {"_id": run_id, "organisation": caller.organisation}
    await cancel_runs(gateway, caller, query, None if wanted is None else wanted.reason)
    run = await visible_run(gateway, caller, run_id)
    if run["status"] in (RunStatus.COMPLETED, RunStatus.FAILED):
        raise RunEnded(
            f"Run '{run_id}' is {run['status']} since {utc_text(run['finished_at'])}.",
            run_status=run["status"],
        )
    return json_answer(run_view(run), 200 if run["status"] == RunStatus.CANCELLED else 202)


@router.get("/api/agent-runs/{run_id}/explain", response_model=ExplainAnswer)
async def explain_agent_run(request: Request, run_id: str) -> Response:
    """Say in words why a run is where it is: what it waits for and its position, why it failed, who cancelled it."""
    gateway, caller = gateway_of(request), await caller_of(request)
    run = await visible_run(gateway, caller, run_id)
    explanation = explain(run, await _surroundings(gateway, run))
    return json_answer({"run": run_view(run), "summary": explanation.summary, "details": explanation.details})


def _conditions(wanted: CancelMany) -> Document:
    conditions = {
        "agent_key": wanted.agent_key,
        "project": wanted.project,
        "event_type": wanted.event_type,
        "target.type": wanted.target_type,
        "target.id": wanted.target_id,
        "status": None if wanted.status is None else {"$in": wanted.status},
        "queued_at": None if wanted.queued_before is None else {"$lt": wanted.queued_before},
    }
    said = {name: value for name, value in conditions.items() if value is not None}
    return said if wanted.replays else {**said, "replay": None}


async def _surroundings(gateway: Gateway, run: Document) -> Surroundings:
    waiting = run["waiting_for"]
    has_place = waiting is not None and waiting.get("key") is not None
    return Surroundings(
        now=gateway.clock(),
        ahead=await gateway.runs.waiting_ahead(run, _COUNT_AT_MOST) if has_place else None,
        runners=await gateway.runners.count(),
    )
