"""GET /api/proposals: what Agents ask for."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.proposal_access import visible_proposal
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import ProposalList, ProposalView, proposal_view
from shared.domain.proposal import ProposalStatus

router = APIRouter(tags=["proposals"])


@router.get("/api/proposals", response_model=ProposalList)
async def list_proposals(
    request: Request,
    status: ProposalStatus | None = None,
    kind: str | None = None,
    agent_key: str | None = None,
    project: str | None = None,
    run_id: str | None = None,
    user: Annotated[str | None, Query(description="Another user, for backends and admins.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    *,
    all_users: Annotated[bool, Query(description="The whole organisation, for backends and admins.")] = False,
) -> Response:
    """List a user's proposals, newest first; with `all_users` also those that belong to no user."""
    gateway, caller = gateway_of(request), await caller_of(request)
    filters = {"status": status, "kind": kind, "agent_key": agent_key, "project": project, "run_id": run_id}
    query = {
        **caller.whose(user, all_users=all_users),
        **{name: value for name, value in filters.items() if value is not None},
        **cursors.after(cursor, "created_at"),
    }
    found = await gateway.proposals.find(query, limit + 1)
    page, next_cursor = cursors.page(found, limit, "created_at")
    return json_answer(
        {
            "proposals": [proposal_view(proposal) for proposal in page],
            "next_cursor": next_cursor,
        }
    )


@router.get("/api/proposals/{proposal_id}", response_model=ProposalView)
async def get_proposal(request: Request, proposal_id: str) -> Response:
    """Return one proposal."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(proposal_view(await visible_proposal(gateway, caller, proposal_id)))
