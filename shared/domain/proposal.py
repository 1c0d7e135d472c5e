"""Proposals: changes that Agents ask for and people decide."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from contracts.ids import derived_id


class ProposalStatus(StrEnum):
    """Where a proposal is in its life; only a pending one can be decided."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


KEPT_FOR: Final = timedelta(days=30)
"""How long a proposal waits for a decision unless a setting says otherwise."""

RECEIPT: Final = (
    "applied_at", "applied_by", "applied_value", "edited_by", "rebased_from",
    "undone_at", "undone_by", "undone_reason", "undone_version", "superseded_by", "expires_at",
)  # fmt: skip
"""What became of a proposal; each is null until it happens. Proposals of earlier releases lack them."""


def proposal_id(run_id: str, index: int) -> str:
    """Return the id of a run's effect, so that projecting it again changes nothing."""
    return derived_id("prp", run_id, str(index))
