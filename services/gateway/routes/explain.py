"""Why an Agent is on or off somewhere, and what became of an event."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from contracts.ids import event_key
from services.gateway.answers import json_answer
from services.gateway.auth import Caller
from services.gateway.configured import configuration_of
from services.gateway.effective_views import effective_view
from services.gateway.explain_agent import AgentExplainAnswer, AgentSurroundings, agent_details
from services.gateway.explain_event import EventExplainAnswer, EventSurroundings, explained_event
from services.gateway.schedule_views import last_fire_key, schedule_view
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import binding_view
from shared.domain.binding import scope_chain
from shared.domain.configuration import AgentVersion
from shared.errors import NotFound
from shared.store.lifecycle import ChangeKind

router = APIRouter(tags=["explain"])

_LATEST_EVENTS = 10_000
_MOST_SCHEDULES = 20
_MOST_PROPOSALS = 500
_MOST_CHANGES = 20

Document = dict[str, Any]


@router.get("/api/events/{event}/explain", response_model=EventExplainAnswer)
async def explain_event(
    request: Request,
    event: str,
    source: Annotated[str | None, Query(description="The source of the event, when `event` is its id.")] = None,
) -> Response:
    """Say in words what became of an event, given by its key or its id: each decision, why, and what came of it.

    An id without its source is looked for among the organisation's latest 10,000 events.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    found = await _visible_event(gateway, caller, event, source)
    decisions = found.get("decisions") or []
    ids = sorted({decision["run_id"] for decision in decisions if decision["run_id"] is not None})
    configuration, runs = await asyncio.gather(
        configuration_of(gateway, caller.organisation), _visible_runs(gateway, caller, ids)
    )
    proposals = await _proposals_of(gateway, caller, sorted(runs))
    around = EventSurroundings(gateway.clock(), configuration, runs, proposals, await gateway.runners.count())
    return json_answer(explained_event(found, around))


async def _visible_event(gateway: Gateway, caller: Caller, event: str, source: str | None) -> Document:
    key = event if source is None else event_key(caller.organisation, source, event)
    found = (await gateway.events.load([key])).get(key)
    if found is None and source is None:
        found = await gateway.events.latest_with_id(caller.organisation, event, _LATEST_EVENTS)
    if found is None or not caller.sees(found):
        raise NotFound(f"There is no event '{event[:128]}', or it is not yours to see; with an id, give its source.")
    return found


async def _visible_runs(gateway: Gateway, caller: Caller, ids: list[str]) -> dict[str, Document]:
    runs = await gateway.runs.load(ids) if ids else {}
    return {id_: run for id_, run in runs.items() if caller.sees(run)}


async def _proposals_of(gateway: Gateway, caller: Caller, ids: list[str]) -> dict[str, list[Document]]:
    proposals: dict[str, list[Document]] = {id_: [] for id_ in ids}
    query = {"run_id": {"$in": ids}, "organisation": caller.organisation}
    for proposal in await gateway.proposals.find(query, _MOST_PROPOSALS) if ids else ():
        proposals[proposal["run_id"]].append(proposal)
    return proposals


@router.get("/api/agents/{key}/explain", response_model=AgentExplainAnswer)
async def explain_agent(request: Request, key: str, project: str | None = None, user: str | None = None) -> Response:
    """Say in words why an Agent is on or off for this user, or else the caller, in this project, and when it fires.

    Another user is for a backend or an admin to ask for.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    around = await _agent_surroundings(gateway, caller.organisation, key, project, caller.on_behalf_of(user))
    effective = effective_view(around.version, around.effective, around.now, around.background)
    return json_answer(
        {
            "agent_key": key,
            "project": project,
            "user": around.user,
            "summary": effective["explanation"],
            "details": agent_details(around),
            "effective": effective,
            "bindings": [binding_view(binding) for binding in around.said],
            "schedules": list(around.schedules),
        }
    )


async def _agent_surroundings(
    gateway: Gateway, organisation: str, key: str, project: str | None, user: str
) -> AgentSurroundings:
    configuration = await configuration_of(gateway, organisation, key)
    version = configuration.agent(organisation, key)
    if version is None:
        raise NotFound(f"There is no published Agent '{key}'; GET /api/agents lists those that there are.")
    background, schedules, changes = await asyncio.gather(
        gateway.background.read(),
        _schedules(gateway, version, organisation, project, user),
        gateway.lifecycle.changes(version.agent_id, _MOST_CHANGES),
    )
    decided = [each["last_fire"]["decision"] for each in schedules if each["last_fire"] is not None]
    run_ids = [decision["run_id"] for decision in decided if decision is not None and decision["run_id"] is not None]
    return AgentSurroundings(
        now=gateway.clock(),
        version=version,
        effective=configuration.effective(version.spec, organisation, project, user),
        said=configuration.said(key, scope_chain(organisation, project, user)),
        background=background,
        project=project,
        user=user,
        is_member=None if project is None else await gateway.members.is_member(organisation, project, user),
        schedules=schedules,
        runs=await gateway.runs.load(run_ids) if run_ids else {},
        status_change=next((each for each in changes if each.kind is ChangeKind.STATUS_CHANGED), None),
    )


async def _schedules(
    gateway: Gateway, version: AgentVersion, organisation: str, project: str | None, user: str
) -> list[dict[str, Any]]:
    """Return the schedules in force for the user, the project and the organisation there, as the API shows them."""
    query: Document = {"organisation": organisation, "agent_key": version.spec.key}
    if project is None:
        query["$or"] = [{"user": user}, {"user": "", "project": ""}]
    else:
        query |= {"user": {"$in": ["", user]}, "project": {"$in": ["", project]}}
    found = await gateway.schedules.page(query, None, _MOST_SCHEDULES)
    keys = {schedule.id: fire for schedule in found if (fire := last_fire_key(schedule)) is not None}
    decisions = await gateway.events.decisions(keys.values()) if keys else {}
    now, trigger = gateway.clock(), version.spec.schedule_trigger
    return [schedule_view(schedule, trigger, decisions.get(keys.get(schedule.id, ""), ()), now) for schedule in found]
