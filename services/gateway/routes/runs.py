"""GET /api/agent-runs: what is queued, running and recently finished."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.gateway import cursor as cursors
from services.gateway.answers import tagged_answer
from services.gateway.run_detail import RunDetail, run_detail
from services.gateway.run_output import output_json
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import RunList, run_view
from services.gateway.visible import visible_run
from shared.domain.run import ACTIVE, TERMINAL, RunStatus

router = APIRouter(tags=["agent runs"])

_COUNT_AT_MOST = 10_000
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing has changed since that ETag"}}

Document = dict[str, Any]


@router.get("/api/agent-runs", response_model=RunList, responses=_UNCHANGED)
async def list_agent_runs(
    request: Request,
    status: Annotated[list[RunStatus] | None, Query(description="Only these; may be repeated.")] = None,
    agent_key: str | None = None,
    project: str | None = None,
    user: Annotated[str | None, Query(description="Another user, for backends and admins.")] = None,
    parent_id: Annotated[str | None, Query(description="The runs of this batch, of any age.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    *,
    all_users: Annotated[bool, Query(description="The whole organisation, for backends and admins.")] = False,
    replays: Annotated[bool, Query(description="Also the runs of replays, which are left out otherwise.")] = False,
) -> Response:
    """List active runs of any age and runs that finished inside the status window, the latest change first.

    Poll with `If-None-Match`: an unchanged list is an empty 304.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    is_of_all = all_users or (parent_id is not None and user is None and caller.sees_organisation)
    whose: Document = caller.whose(user, all_users=is_of_all)
    narrowed = whose | {
        name: value for name, value in {"agent_key": agent_key, "project": project}.items() if value is not None
    }
    if not replays:
        narrowed["replay"] = None
    if parent_id is not None:
        narrowed["parent_id"] = parent_id
    since = gateway.clock() - timedelta(seconds=gateway.settings.ai_queue_status_retention_seconds)
    window: Document = {"changed_at": {"$gte": since}} if parent_id is None else {}
    wanted = frozenset(status or RunStatus)
    all_active = whose | {"status": {"$in": sorted(ACTIVE)}}
    failed = whose | {"status": RunStatus.FAILED, "changed_at": {"$gte": since}}
    lists_all_active = wanted >= ACTIVE and cursor is None and {agent_key, project, parent_id} == {None}
    active, finished, (failures, *counted) = await asyncio.gather(
        _find(gateway, narrowed, wanted & ACTIVE, {}, cursor, limit),
        _find(gateway, narrowed, wanted & TERMINAL, window, cursor, limit),
        _counts(gateway, [failed] if lists_all_active else [failed, all_active], replays=replays),
    )
    if lists_all_active and len(active) > limit:
        # Only then are they not all listed.
        counted = await _counts(gateway, [all_active], replays=replays)
    found = sorted(active + finished, key=lambda run: (run["changed_at"], run["_id"]), reverse=True)
    page, next_cursor = cursors.page(found, limit, "changed_at")
    return tagged_answer(
        request,
        {
            "agent_runs": [run_view(run) for run in page],
            "active": counted[0] if counted else len(active),
            "recent_failures": failures,
            "window_seconds": gateway.settings.ai_queue_status_retention_seconds,
            "next_cursor": next_cursor,
        },
    )


@router.get("/api/agent-runs/{run_id}", response_model=RunDetail, responses=_UNCHANGED)
async def get_agent_run(request: Request, run_id: str) -> Response:
    """Return one run with its steps, its output and effects, the decision that started it and the event behind that.

    Poll with `If-None-Match`: an unchanged run is an empty 304.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    run = await visible_run(gateway, caller, run_id)
    events, steps = await asyncio.gather(gateway.events.load([run["event_key"]]), gateway.steps.of_run(run_id))
    run["output_json"] = await output_json(gateway, run)
    return tagged_answer(request, run_detail(run, events.get(run["event_key"]), steps))


async def _counts(gateway: Gateway, queries: list[Document], *, replays: bool) -> list[int]:
    """Count runs along the index alone; those of replays are in one of their own, so that no document is read."""
    if replays:
        return await gateway.runs.counts(queries, _COUNT_AT_MOST)
    of_replays = [{**query, "replay.id": {"$exists": True}} for query in queries]
    counted = await gateway.runs.counts([*queries, *of_replays], _COUNT_AT_MOST)
    return [max(0, of_all - of_these) for of_all, of_these in zip(counted, counted[len(queries) :], strict=False)]


async def _find(
    gateway: Gateway, query: Document, statuses: frozenset[RunStatus], window: Document, cursor: str | None, limit: int
) -> list[Document]:
    if not statuses:
        return []
    conditions = [query, {"status": {"$in": sorted(statuses)}}, window, cursors.after(cursor, "changed_at")]
    return await gateway.runs.find({"$and": [condition for condition in conditions if condition]}, limit + 1)
