"""GET /api/inbox: what waits for a person's decision, and how much of it there is."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from services.gateway import cursor as cursors
from services.gateway.answers import tagged_answer
from services.gateway.proposal_filters import InboxFilters
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import ProposalView, View, proposal_view

router = APIRouter(tags=["proposals"])

_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing has changed since that ETag"}}


class GroupView(View):
    agent_key: str
    kind: str
    count: int


class Inbox(View):
    """`counts` are of everything with this status in the project, however else the page is narrowed: the newest 10,000.

    Of more than 1,000 they are up to five seconds old.
    """

    proposals: list[ProposalView]
    total: int
    counts: list[GroupView]
    next_cursor: str | None


@router.get("/api/inbox", response_model=Inbox, responses=_UNCHANGED)
async def get_inbox(request: Request, filters: Annotated[InboxFilters, Query()]) -> Response:
    """List what waits for the caller's decision, newest first, with counts for each Agent and kind.

    Poll with `If-None-Match`: an unchanged inbox is an empty 304.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    found, groups = await asyncio.gather(
        gateway.inbox.page(filters.query(caller), filters.limit + 1),
        gateway.inbox_counts.of(filters.query_of_all(caller)),
    )
    page, next_cursor = cursors.page(found, filters.limit, "created_at")
    return tagged_answer(
        request,
        {
            "proposals": [proposal_view(proposal) for proposal in page],
            "total": sum(group.count for group in groups),
            "counts": [asdict(group) for group in groups],
            "next_cursor": next_cursor,
        },
    )
