"""/api/proposals: what Agents ask for, and what people decide."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import ProposalList, ProposalView, proposal_view
from shared.domain.proposal import ProposalStatus
from shared.store.proposals import Deciding

log = structlog.get_logger()
router = APIRouter(tags=["proposals"])

Document = dict[str, Any]


class Decision(BaseModel):
    """Why somebody decided so; kept with the proposal."""

    reason: Annotated[str | None, Field(max_length=2_000)] = None


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
    return json_answer(proposal_view(await _visible(gateway, caller, proposal_id)))


@router.post("/api/proposals/{proposal_id}/approve", response_model=ProposalView, responses=problems(409))
async def approve_proposal(request: Request, proposal_id: str, decision: Decision | None = None) -> Response:
    """Approve a proposal; one for memory is applied in the same moment. Approving it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await _visible(gateway, caller, proposal_id)
    approved = await gateway.proposals.approve(proposal_id, _deciding(gateway, caller, decision))
    log.info("proposal.approved", proposal_id=proposal_id, kind=approved["kind"], by=caller.user)
    return json_answer(proposal_view(approved))


@router.post("/api/proposals/{proposal_id}/reject", response_model=ProposalView, responses=problems(409))
async def reject_proposal(request: Request, proposal_id: str, decision: Decision | None = None) -> Response:
    """Reject a proposal. Rejecting it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await _visible(gateway, caller, proposal_id)
    rejected = await gateway.proposals.reject(proposal_id, _deciding(gateway, caller, decision))
    log.info("proposal.rejected", proposal_id=proposal_id, kind=rejected["kind"], by=caller.user)
    return json_answer(proposal_view(rejected))


async def _visible(gateway: Gateway, caller: Caller, proposal_id: str) -> Document:
    query: Document = {"_id": proposal_id, "organisation": caller.organisation}
    if not caller.sees_organisation:
        query["user"] = caller.user
    return await gateway.proposals.get(query)


def _deciding(gateway: Gateway, caller: Caller, decision: Decision | None) -> Deciding:
    return Deciding(caller.user, gateway.clock(), None if decision is None else decision.reason)
