"""/api/background-agents: Agents with a schedule, created and operated under the names of OmniCoreAgent."""

import asyncio
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.agent_kinds import AgentStatus, Visibility
from contracts.agents import AgentSpec, ModelTier
from contracts.lifecycle import Shutdown
from services.gateway.agent_access import check_may_write, owner_of
from services.gateway.agent_drafts import fit, key_in, publish
from services.gateway.agent_lifecycle import WantedStatus, change_status
from services.gateway.agent_problems import AgentExists, AgentInactive, AgentUnpublished
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.background import (
    BackgroundAgentList,
    BackgroundAgentStatus,
    background_agent,
    background_agents,
    background_status,
    background_view,
    check_started,
)
from services.gateway.background_specs import BackgroundAgentConfig, content_of
from services.gateway.configured import configuration_of
from services.gateway.fields import Skip
from services.gateway.routes.agent_actions import execute_agent
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.agent_id import agent_id as id_of
from shared.store.agent_documents import AgentRecord

log = structlog.get_logger()
router = APIRouter(tags=["background agents"])

Document = dict[str, Any]
_PATH = "/api/background-agents"
_SEEN_AFTER_SECONDS = 0.5
_TRIES = 3


class ChangeRequest(BaseModel):
    """Why; kept with the change."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=2_000)] = ""


class StartRequest(ChangeRequest):
    """With `now`, it is also executed at once."""

    now: bool = False


class StopRequest(ChangeRequest):
    """What becomes of open runs: `confirm` is needed when some would be cancelled, `immediate` ends running ones, too."""

    immediate: bool = False
    confirm: bool = False


@router.get(_PATH, response_model=BackgroundAgentList)
async def list_background_agents(
    request: Request,
    skip: Skip = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List the published Agents with a schedule that the organisation may use, by id, and how each stands."""
    gateway, caller = gateway_of(request), await caller_of(request)
    found = await background_agents(gateway, caller)
    configuration = await configuration_of(gateway, caller.organisation)
    page = found[skip : skip + limit]
    views = [await background_view(gateway, caller, agent, configuration) for agent, _ in page]
    return json_answer({"agents": views, "total": len(found)})


@router.post(_PATH, status_code=201, response_model=BackgroundAgentStatus, responses=problems(409))
async def create_background_agent(request: Request, config: BackgroundAgentConfig) -> Response:
    """Publish an Agent of the organisation's own that does a task again and again; it is stopped until it is started."""
    gateway, caller = gateway_of(request), await caller_of(request)
    settings = gateway.settings
    models = {ModelTier.FAST: settings.openai_fast_model, ModelTier.REASONING: settings.openai_reasoning_model}
    content = content_of(config, models)
    key = key_in(content)
    owner = owner_of(caller, Visibility.ORGANISATION)
    check_may_write(caller, owner, key)
    await _publish(gateway, caller, owner, fit(content))
    return json_answer(await _status(gateway, caller, key), 201)


async def _publish(gateway: Gateway, caller: Caller, owner: str, spec: AgentSpec) -> None:
    known = await gateway.agent_records.of_key(caller.organisation, spec.key)
    own = next((agent for agent in known if agent.organisation == owner), None)
    if own is not None and not own.is_archived:
        raise AgentExists(
            f"agent_id: there is an Agent '{spec.key}'. PUT /api/agents/{spec.key} changes it.", field="agent_id"
        )
    new = AgentRecord(id_of(owner, spec.key), owner, spec.key, AgentStatus.ACTIVE, None, None, None, None, None, None)
    published = await publish(gateway, caller, own or new, spec, "Created as a background Agent.")
    log.info("agent.published", agent=new.id, version=published.version.number, by=caller.user)


@router.get(f"{_PATH}/{{agent_id}}/status", response_model=BackgroundAgentStatus)
async def show_status(request: Request, agent_id: str) -> Response:
    """Show how a background Agent stands: its runs and errors, its last run with the result, and its next fire."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(await _status(gateway, caller, agent_id))


@router.post(f"{_PATH}/{{agent_id}}/start", response_model=BackgroundAgentStatus, responses=problems(409))
async def start_background_agent(request: Request, agent_id: str, wanted: StartRequest | None = None) -> Response:
    """Make it active: its schedule starts runs from now on."""
    gateway, caller = gateway_of(request), await caller_of(request)
    wanted = wanted or StartRequest()
    before = await _change(gateway, caller, agent_id, WantedStatus(AgentStatus.ACTIVE, reason=wanted.reason))
    if wanted.now:
        await _execute(request, agent_id, is_new=before is not AgentStatus.ACTIVE)
    return json_answer(await _status(gateway, caller, agent_id))


@router.post(f"{_PATH}/{{agent_id}}/pause", response_model=BackgroundAgentStatus, responses=problems(409))
async def pause_background_agent(request: Request, agent_id: str, wanted: ChangeRequest | None = None) -> Response:
    """Pause it: its schedule stays, and what it fires is recorded and waits."""
    return await _once_started(request, agent_id, AgentStatus.PAUSED, wanted)


@router.post(f"{_PATH}/{{agent_id}}/resume", response_model=BackgroundAgentStatus, responses=problems(409))
async def resume_background_agent(request: Request, agent_id: str, wanted: ChangeRequest | None = None) -> Response:
    """Have it go on after a pause, with what waits; one that is stopped has to be started."""
    return await _once_started(request, agent_id, AgentStatus.ACTIVE, wanted)


async def _once_started(request: Request, agent_id: str, status: AgentStatus, wanted: ChangeRequest | None) -> Response:
    """Change the status of one that is not stopped, and show how it stands."""
    gateway, caller = gateway_of(request), await caller_of(request)
    check_started(await background_agent(gateway, caller, agent_id))
    await _change(gateway, caller, agent_id, WantedStatus(status, reason=(wanted or ChangeRequest()).reason))
    return json_answer(await _status(gateway, caller, agent_id))


@router.post(f"{_PATH}/{{agent_id}}/stop", response_model=BackgroundAgentStatus, responses=problems(409))
async def stop_background_agent(request: Request, agent_id: str, wanted: StopRequest | None = None) -> Response:
    """Stop it: what its schedule fires is recorded and dropped, and queued runs are cancelled."""
    gateway, caller = gateway_of(request), await caller_of(request)
    wanted = wanted or StopRequest()
    shutdown = Shutdown.IMMEDIATE if wanted.immediate else Shutdown.GRACEFUL
    change = WantedStatus(AgentStatus.INACTIVE, shutdown, reason=wanted.reason, is_confirmed=wanted.confirm)
    await _change(gateway, caller, agent_id, change)
    return json_answer(await _status(gateway, caller, agent_id))


async def _execute(request: Request, agent_id: str, *, is_new: bool) -> None:
    """Start a run by hand; the gate, which would refuse it until then, sees a new status after a moment."""
    for _ in range(_TRIES if is_new else 0):
        await asyncio.sleep(_SEEN_AFTER_SECONDS)
        try:
            await execute_agent(request, agent_id)
        except (AgentInactive, AgentUnpublished):
            continue
        return
    await execute_agent(request, agent_id)


async def _change(gateway: Gateway, caller: Caller, agent_id: str, wanted: WantedStatus) -> AgentStatus:
    """Change the status, and return the one before."""
    agent = await background_agent(gateway, caller, agent_id)
    check_may_write(caller, agent.organisation, agent.key)
    await change_status(gateway, caller, agent, wanted)
    return agent.status


async def _status(gateway: Gateway, caller: Caller, agent_id: str) -> Document:
    return await background_status(gateway, caller, await background_agent(gateway, caller, agent_id))
