"""Proposals: changes that Agents ask for and people decide."""

from enum import StrEnum

from contracts.ids import derived_id


class ProposalStatus(StrEnum):
    """Where a proposal is in its life; only a pending one can be decided."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


def proposal_id(run_id: str, index: int) -> str:
    """Return the id of a run's effect, so that projecting it again changes nothing."""
    return derived_id("prp", run_id, str(index))
