"""/api/proposals/{proposal_id}/...: what people decide about what Agents ask for."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.approvals import tell_approved
from services.gateway.auth import Caller
from services.gateway.proposal_access import visible_proposal
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import ProposalView, proposal_view
from shared.store.proposals import Deciding

log = structlog.get_logger()
router = APIRouter(tags=["proposals"])


class Decision(BaseModel):
    """Why somebody decided so; kept with the proposal."""

    reason: Annotated[str | None, Field(max_length=2_000)] = None


@router.post("/api/proposals/{proposal_id}/approve", response_model=ProposalView, responses=problems(409))
async def approve_proposal(request: Request, proposal_id: str, decision: Decision | None = None) -> Response:
    """Approve a proposal; one for memory is applied in the same moment. Approving it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await visible_proposal(gateway, caller, proposal_id)
    approved = await gateway.proposals.approve(proposal_id, _deciding(gateway, caller, decision))
    await tell_approved(gateway.publisher, approved)
    log.info("proposal.approved", proposal_id=proposal_id, kind=approved["kind"], by=caller.user)
    return json_answer(proposal_view(approved))


@router.post("/api/proposals/{proposal_id}/reject", response_model=ProposalView, responses=problems(409))
async def reject_proposal(request: Request, proposal_id: str, decision: Decision | None = None) -> Response:
    """Reject a proposal. Rejecting it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await visible_proposal(gateway, caller, proposal_id)
    rejected = await gateway.proposals.reject(proposal_id, _deciding(gateway, caller, decision))
    log.info("proposal.rejected", proposal_id=proposal_id, kind=rejected["kind"], by=caller.user)
    return json_answer(proposal_view(rejected))


def _deciding(gateway: Gateway, caller: Caller, decision: Decision | None) -> Deciding:
    return Deciding(caller.user, gateway.clock(), None if decision is None else decision.reason)
