"""/api/agents/{key}/replays: past runs are done again on another version, with effects off, and compared."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway import cursor as cursors
from services.gateway.agent_access import the_agent
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.cancelling import cancel_runs
from services.gateway.fields import Skip
from services.gateway.replay_comparison import compared
from services.gateway.replay_views import ReplayList, ReplayReport, ReplayView, replay_view, report_view
from services.gateway.replays import ReplayRequest, check_may_replay, check_may_see, check_unambiguous, start
from services.gateway.routes.agents import Whose
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.replaying import MOST_RUNS
from shared.errors import NotFound
from shared.store.run_ends import Cancel

log = structlog.get_logger()
router = APIRouter(tags=["replays"])

Document = dict[str, Any]


class CancelReplay(BaseModel):
    """Why somebody wants a replay to end; kept with it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str | None, Field(max_length=2_000)] = None


@router.post("/api/agents/{key}/replays", status_code=202, response_model=ReplayView, responses=problems(409))
async def start_replay(request: Request, key: str, wanted: ReplayRequest, visibility: Whose = None) -> Response:
    """Do past runs of an Agent again on a version or on its draft. Nothing that they propose reaches anybody.

    Each gets the event of its original and what that had read; model calls are made anew, in the lane `low`.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    check_unambiguous(wanted)
    check_may_replay(caller)
    agent = await the_agent(gateway, caller, key, visibility)
    replay = await start(gateway, caller, agent, wanted)
    log.info("replay.started", replay=replay["_id"], agent=agent.id, runs=len(replay["runs"]), by=caller.user)
    return json_answer(await _shown(gateway, replay), 202)


@router.get("/api/agents/{key}/replays", response_model=ReplayList)
async def list_replays(
    request: Request,
    key: str,
    visibility: Whose = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: str | None = None,
) -> Response:
    """List the replays of an Agent in the caller's organisation, the latest first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    check_may_see(caller)
    agent = await the_agent(gateway, caller, key, visibility)
    query = {"organisation": caller.organisation, "agent_id": agent.id, **cursors.after(cursor, "created_at")}
    found = await gateway.replays.find(query, limit + 1)
    page, next_cursor = cursors.page(found, limit, "created_at")
    counts = await gateway.replays.progress([replay["_id"] for replay in page])
    return json_answer(
        {
            "replays": [replay_view(replay, counts.get(replay["_id"], {})) for replay in page],
            "next_cursor": next_cursor,
        }
    )


@router.get("/api/agents/{key}/replays/{replay_id}", response_model=ReplayReport)
async def get_replay(
    request: Request,
    key: str,
    replay_id: str,
    skip: Skip = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_RUNS)] = 50,
) -> Response:
    """Show a replay and what its runs are beside their originals; the sums are of all, the pairs are a page."""
    gateway, caller = gateway_of(request), await caller_of(request)
    replay = await _visible(gateway, caller, key, replay_id)
    counts = await gateway.replays.progress([replay_id])
    pairs = await compared(gateway, replay)
    return json_answer(report_view(replay, counts.get(replay_id, {}), pairs, skip, limit))


@router.post("/api/agents/{key}/replays/{replay_id}/cancel", response_model=ReplayView)
async def cancel_replay(request: Request, key: str, replay_id: str, wanted: CancelReplay | None = None) -> Response:
    """End the runs of a replay that have not ended. Cancelling again, or one that is over, changes nothing."""
    gateway, caller = gateway_of(request), await caller_of(request)
    check_may_replay(caller)
    await _visible(gateway, caller, key, replay_id)
    reason = None if wanted is None else wanted.reason
    runs = {"replay.id": replay_id, "organisation": caller.organisation}
    result = await cancel_runs(gateway, caller, runs, reason)
    if result.cancelled or result.cancelling or result.requeued:
        await gateway.replays.note_cancel(replay_id, Cancel(caller.user, gateway.clock(), reason))
    return json_answer(await _shown(gateway, await _visible(gateway, caller, key, replay_id)))


async def _visible(gateway: Gateway, caller: Caller, key: str, replay_id: str) -> Document:
    check_may_see(caller)
    replay = await gateway.replays.get(replay_id, caller.organisation, key)
    if replay is None:
        raise NotFound(f"Agent '{key}' has no replay '{replay_id}'. GET /api/agents/{key}/replays lists them.")
    return replay


async def _shown(gateway: Gateway, replay: Document) -> Document:
    counts = await gateway.replays.progress([replay["_id"]])
    return replay_view(replay, counts.get(replay["_id"], {}))
