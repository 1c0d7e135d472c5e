"""GET /api/events: what was accepted, and what the gate decided about it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.event_views import EventDetail, EventList, event_detail, event_view
from services.gateway.state import caller_of, gateway_of
from shared.errors import NotFound

router = APIRouter(tags=["events"])

Document = dict[str, Any]


@router.get("/api/events", response_model=EventList)
async def list_events(
    request: Request,
    type: Annotated[str | None, Query(description="Only of this type.")] = None,
    project: str | None = None,
    user: Annotated[str | None, Query(description="Another user, for backends and admins.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    *,
    all_users: Annotated[bool, Query(description="The whole organisation, for backends and admins.")] = False,
) -> Response:
    """List a user's accepted events with their decisions, the latest first; with `all_users` those of nobody, too."""
    gateway, caller = gateway_of(request), await caller_of(request)
    filters = {"type": type, "project": project}
    query: Document = {
        **caller.whose(user, all_users=all_users),
        **{name: value for name, value in filters.items() if value is not None},
        **cursors.after(cursor, "accepted_at"),
    }
    found = await gateway.events.page(query, limit + 1)
    page, next_cursor = cursors.page(found, limit, "accepted_at")
    return json_answer(
        {
            "events": [event_view(event) for event in page],
            "next_cursor": next_cursor,
        }
    )


@router.get("/api/events/{event_key}", response_model=EventDetail)
async def get_event(request: Request, event_key: str) -> Response:
    """Return one accepted event, by the `key` that its publishing was answered with."""
    gateway, caller = gateway_of(request), await caller_of(request)
    event = (await gateway.events.load([event_key])).get(event_key)
    if event is None or not caller.sees(event):
        raise NotFound(f"There is no event '{event_key}', or it is not yours to see.")
    return json_answer(event_detail(event))
