"""GET .../events: the lives of runs as they happen, of all runs, of an Agent, of one run."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from contracts.agents import AgentKey
from contracts.subjects import run_event_pattern
from services.gateway.agent_access import the_agent
from services.gateway.live_events import MEDIA_TYPE, begin, stream
from services.gateway.state import caller_of, gateway_of
from services.gateway.visible import visible_run

router = APIRouter(tags=["live events"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Server-Sent Events, until the reader goes", "content": {MEDIA_TYPE: {}}}
}

LastEventId = Annotated[
    str | None, Header(alias="Last-Event-ID", description="The id of the last event that was heard: go on after it.")
]
After = Annotated[str | None, Query(description="The same for whoever sends no header; `start` for all that is kept.")]
AnotherUser = Annotated[str | None, Query(description="Another user, for backends and admins.")]
AllUsers = Annotated[bool, Query(description="The whole organisation, for backends and admins.")]


@router.get("/api/agent-runs/events", response_class=StreamingResponse, responses=_EVENTS)
async def follow_agent_runs(
    request: Request,
    after: After = None,
    last_event_id: LastEventId = None,
    agent_key: AgentKey | None = None,
    user: AnotherUser = None,
    *,
    all_users: AllUsers = False,
) -> Response:
    """Tell what happens to a user's runs, or to all, from now on or from where the reader was cut off."""
    return await _followed(request, last_event_id or after, agent_key, user, all_users=all_users)


@router.get("/api/agents/{key}/events", response_class=StreamingResponse, responses=_EVENTS)
async def follow_agent(
    request: Request,
    key: AgentKey,
    after: After = None,
    last_event_id: LastEventId = None,
    user: AnotherUser = None,
    *,
    all_users: AllUsers = False,
) -> Response:
    """Tell what happens to the runs of one Agent."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await the_agent(gateway, caller, key)
    return await _followed(request, last_event_id or after, key, user, all_users=all_users)


@router.get("/api/agent-runs/{run_id}/events", response_class=StreamingResponse, responses=_EVENTS)
async def follow_agent_run(
    request: Request, run_id: str, after: After = None, last_event_id: LastEventId = None
) -> Response:
    """Tell what happens to one run, all that is kept of it first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    run = await visible_run(gateway, caller, run_id)
    pattern = run_event_pattern(run["organisation"], run["user"], run["agent_key"], run_id)
    position = await begin(gateway.live, last_event_id or after, from_start=True)
    return stream(gateway.live, position, pattern)


async def _followed(
    request: Request, after: str | None, agent_key: str | None, user: str | None, *, all_users: bool
) -> Response:
    gateway, caller = gateway_of(request), await caller_of(request)
    whose = caller.whose(user, all_users=all_users)
    pattern = run_event_pattern(whose["organisation"], whose.get("user"), agent_key)
    return stream(gateway.live, await begin(gateway.live, after), pattern)
