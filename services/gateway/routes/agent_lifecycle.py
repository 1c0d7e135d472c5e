"""/api/agents/{key}/...: what a change would touch, what was changed, what is planned, what the runs came to."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from contracts.agent_kinds import AgentStatus
from contracts.agents import Scope
from contracts.envelope import Identifier
from contracts.lifecycle import Shutdown
from services.gateway.agent_access import agent_to_write, the_agent
from services.gateway.agent_impact import Subject, bound, governed, impact_of, open_runs
from services.gateway.agent_lifecycle import cancel_plan
from services.gateway.agent_runs import own_runs
from services.gateway.answers import json_answer
from services.gateway.auth import Caller
from services.gateway.lifecycle_views import (
    AgentFiguresAnswer,
    HistoryAnswer,
    ImpactAnswer,
    WorkloadAnswer,
    figures_view,
    history_view,
    impact_view,
    status_answer,
    workload_view,
)
from services.gateway.problems import RequestInvalid
from services.gateway.routes.agent_actions import StatusAnswer
from services.gateway.routes.agents import Whose
from services.gateway.routes.bindings import BindingChange, binding_from
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.impact import Archiving, Disabling, StatusChange

router = APIRouter(tags=["agents"])


@router.get("/api/agents/{key}/impact", response_model=ImpactAnswer)
async def show_impact(
    request: Request,
    key: str,
    status: AgentStatus | None = None,
    shutdown: Shutdown = Shutdown.GRACEFUL,
    *,
    archive: bool = False,
    disable: Annotated[Scope | None, Query(description="The scope of a binding that disables it.")] = None,
    scope_id: Annotated[Identifier | None, Query(description="Which project or user.")] = None,
    visibility: Whose = None,
) -> Response:
    """Say what one change would touch: of the status, archiving, or a disabling binding. Nothing is written.

    It takes the roles of the change itself.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    if sum((status is not None, archive, disable is not None)) != 1:
        raise RequestInvalid("Ask for one change: status = ..., archive = true, or disable = a scope.")
    if disable is not None:
        await the_agent(gateway, caller, key, visibility)
        subject = _bound(gateway, caller, key, disable, scope_id)
        return json_answer(impact_view(key, await impact_of(gateway, subject, Disabling())))
    agent = await agent_to_write(gateway, caller, key, visibility)
    change = Archiving() if status is None else StatusChange(status, shutdown)
    subject = await governed(gateway, agent, caller.organisation)
    return json_answer(impact_view(key, await impact_of(gateway, subject, change)))


def _bound(gateway: Gateway, caller: Caller, key: str, scope: Scope, scope_id: str | None) -> Subject:
    change = BindingChange(agent_key=key, scope=scope, scope_id=scope_id, enabled=False)
    return bound(key, binding_from(change, caller, gateway.clock()).at, caller.organisation)


@router.get("/api/agents/{key}/status", response_model=WorkloadAnswer)
async def show_status(request: Request, key: str, visibility: Whose = None) -> Response:
    """Show the status of an Agent and its open runs: the organisation's for backends and admins, else one's own."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    runs = await open_runs(gateway, Subject(key, caller.organisation, own_runs(caller, key)))
    return json_answer(workload_view(agent, runs))


@router.delete("/api/agents/{key}/planned-status", response_model=StatusAnswer)
async def delete_planned_status(request: Request, key: str, visibility: Whose = None) -> Response:
    """Cancel the change of status that is planned; 404 when there is none, or when it was made already."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await agent_to_write(gateway, caller, key, visibility)
    return json_answer(status_answer(await cancel_plan(gateway, caller, agent)))


@router.get("/api/agents/{key}/history", response_model=HistoryAnswer)
async def show_history(
    request: Request,
    key: str,
    visibility: Whose = None,
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List what was done to an Agent, the latest first: published, archived, its status changed or planned."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    changes = await gateway.lifecycle.changes(agent.id, skip + limit)
    versions = await gateway.agent_records.versions(agent.organisation, key, 0, skip + limit)
    return json_answer({"changes": history_view(changes, versions)[skip : skip + limit]})


@router.get("/api/agents/{key}/stats", response_model=AgentFiguresAnswer)
async def show_agent_stats(request: Request, key: str, visibility: Whose = None) -> Response:
    """Return the figures of an Agent's runs that are kept: the organisation's for backends and admins, else one's own."""
    gateway, caller = gateway_of(request), await caller_of(request)
    agent = await the_agent(gateway, caller, key, visibility)
    version = (await gateway.agent_records.published_of([agent])).get(agent.id)
    is_monitored = version is None or version.spec.performance_monitoring
    figures = await gateway.agent_figures.figures(own_runs(caller, key)) if is_monitored else None
    return json_answer({"agent_key": key, "performance_monitoring": is_monitored, "figures": figures_view(figures)})
