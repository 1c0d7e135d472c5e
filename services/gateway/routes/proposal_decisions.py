"""/api/proposals/...: what people decide about what Agents ask for."""

from typing import Annotated, Any, Self

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.approvals import tell_approved
from services.gateway.auth import Caller
from services.gateway.proposal_access import visible_proposal, visible_to
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import ProposalView, View, proposal_view
from shared.domain.memory import LONGEST_TEXT
from shared.errors import AppError
from shared.store.deciding import Deciding
from shared.store.memory_changes import Edit

log = structlog.get_logger()
router = APIRouter(tags=["proposals"])

Reason = Annotated[str | None, Field(max_length=2_000)]


class Decision(BaseModel):
    """Why somebody decided so; kept with the proposal."""

    reason: Reason = None


class Approval(Decision):
    """What somebody approves. With `proposed_value` it is his text, of a memory diff, instead of the proposed one.

    `base_version` is the version of the block that he had before him when he wrote it, unless it is the Agent's.
    """

    proposed_value: Annotated[str | None, Field(max_length=LONGEST_TEXT)] = None
    base_version: Annotated[int | None, Field(ge=0, le=2**31 - 1)] = None

    @model_validator(mode="after")
    def _base_is_that_of_a_text(self) -> Self:
        if self.base_version is not None and self.proposed_value is None:
            raise ValueError("base_version: says on which version 'proposed_value' was written; send that, too")
        return self


class Approvals(Decision):
    """Which proposals somebody approves at once, as they are."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=200)]


class RefusalView(View):
    """Why a proposal was not approved: `facts` is what a problem of this code carries, such as the three texts."""

    code: str
    detail: str
    facts: dict[str, Any]


class ApprovalView(View):
    """What became of one of many: the proposal as it is now, or why it was not approved."""

    id: str
    proposal: ProposalView | None
    error: RefusalView | None


class ApprovalsView(View):
    approved: int
    refused: int
    results: list[ApprovalView]


@router.post("/api/proposals/approve", response_model=ApprovalsView)
async def approve_proposals(request: Request, approvals: Approvals) -> Response:
    """Approve many proposals, one after the other and each for itself; the results are in the order of the ids."""
    gateway, caller = gateway_of(request), await caller_of(request)
    deciding = _deciding(gateway, caller, approvals)
    results = [await _result(gateway, caller, each, deciding) for each in dict.fromkeys(approvals.ids)]
    refused = sum(each["error"] is not None for each in results)
    log.info("proposals.approved", approved=len(results) - refused, refused=refused, by=caller.user)
    return json_answer({"approved": len(results) - refused, "refused": refused, "results": results})


@router.post("/api/proposals/{proposal_id}/approve", response_model=ProposalView, responses=problems(409))
async def approve_proposal(request: Request, proposal_id: str, approval: Approval | None = None) -> Response:
    """Approve a proposal; one for memory is applied in the same moment. Approving it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    edit = None
    if approval is not None and approval.proposed_value is not None:
        edit = Edit(approval.proposed_value, approval.base_version)
    approved = await _approve(gateway, caller, proposal_id, _deciding(gateway, caller, approval), edit)
    return json_answer(proposal_view(approved))


@router.post("/api/proposals/{proposal_id}/reject", response_model=ProposalView, responses=problems(409))
async def reject_proposal(request: Request, proposal_id: str, decision: Decision | None = None) -> Response:
    """Reject a proposal. Rejecting it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await visible_proposal(gateway, caller, proposal_id)
    rejected = await gateway.proposals.reject(proposal_id, _deciding(gateway, caller, decision))
    log.info("proposal.rejected", proposal_id=proposal_id, kind=rejected["kind"], by=caller.user)
    return json_answer(proposal_view(rejected))


@router.post("/api/proposals/{proposal_id}/undo", response_model=ProposalView, responses=problems(409))
async def undo_proposal(request: Request, proposal_id: str, decision: Decision | None = None) -> Response:
    """Take back exactly what an approved memory diff had changed, as a new version. Undoing it again is the same answer."""
    gateway, caller = gateway_of(request), await caller_of(request)
    await visible_proposal(gateway, caller, proposal_id)
    undone = await gateway.proposals.undo(proposal_id, _deciding(gateway, caller, decision))
    log.info("proposal.undone", proposal_id=proposal_id, version=undone["undone_version"], by=caller.user)
    return json_answer(proposal_view(undone))


async def _result(gateway: Gateway, caller: Caller, proposal_id: str, deciding: Deciding) -> dict[str, Any]:
    try:
        approved = await _approve(gateway, caller, proposal_id, deciding, None)
    except AppError as error:
        refusal = {"code": error.code, "detail": error.message, "facts": error.facts}
        return {"id": proposal_id, "proposal": None, "error": refusal}
    return {"id": proposal_id, "proposal": proposal_view(approved), "error": None}


async def _approve(
    gateway: Gateway, caller: Caller, proposal_id: str, deciding: Deciding, edit: Edit | None
) -> dict[str, Any]:
    approved = await gateway.proposals.approve(proposal_id, deciding, edit, visible_to(caller))
    await tell_approved(gateway.publisher, approved)
    log.info("proposal.approved", proposal_id=proposal_id, kind=approved["kind"], by=caller.user)
    return approved


def _deciding(gateway: Gateway, caller: Caller, decision: Decision | None) -> Deciding:
    return Deciding(caller.user, gateway.clock(), None if decision is None else decision.reason)
