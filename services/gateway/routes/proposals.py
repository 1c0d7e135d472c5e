"""GET /api/proposals: what Agents ask for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.proposal_access import visible_proposal
from services.gateway.proposal_filters import ProposalFilters
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import ProposalList, ProposalView, proposal_view

router = APIRouter(tags=["proposals"])


@router.get("/api/proposals", response_model=ProposalList)
async def list_proposals(request: Request, filters: Annotated[ProposalFilters, Query()]) -> Response:
    """List a user's proposals, newest first; with `all_users` also those that belong to no user."""
    gateway, caller = gateway_of(request), await caller_of(request)
    found = await gateway.inbox.page(filters.query(caller), filters.limit + 1)
    page, next_cursor = cursors.page(found, filters.limit, "created_at")
    return json_answer({"proposals": [proposal_view(proposal) for proposal in page], "next_cursor": next_cursor})


@router.get("/api/proposals/{proposal_id}", response_model=ProposalView)
async def get_proposal(request: Request, proposal_id: str) -> Response:
    """Return one proposal."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(proposal_view(await visible_proposal(gateway, caller, proposal_id)))
