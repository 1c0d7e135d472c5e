"""What became of a proposal, as it is shown: applied, by whom and how; undone; superseded; expiring."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from shared.domain.proposal import RECEIPT


class Receipt(BaseModel):
    """`applied_value` is the text that was approved, that of `edited_by` if somebody had edited it.

    `rebased`: the block had changed since version `rebased_from`, and the change was made again on the newer text.
    `undone_version` is the version of the block from which the change is gone. `superseded_by` is a newer proposal.
    """

    applied_at: datetime | None
    applied_by: str | None
    applied_value: str | None
    edited_by: str | None
    rebased: bool
    rebased_from: int | None
    undone_at: datetime | None
    undone_by: str | None
    undone_reason: str | None
    undone_version: int | None
    superseded_by: str | None
    expires_at: datetime | None


def receipt_view(proposal: Mapping[str, Any]) -> dict[str, Any]:
    """Return what became of a stored proposal; what has not happened is null."""
    receipt = {name: proposal.get(name) for name in RECEIPT}
    return {**receipt, "rebased": receipt["rebased_from"] is not None}
