"""A batch as the API shows it with its run: how far it is, and whose runs did not complete."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

Document = Mapping[str, Any]

_BATCH_COUNTS = ("users_processed", "users_failed", "queries_executed", "queries_failed", "enrichments_applied")


class _View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BatchErrorView(_View):
    """Why the last run of a user did not complete."""

    user: str
    code: str
    detail: str


class BatchView(_View):
    """How far a batch is. `users_processed` counts the users whose last run has ended, `users_failed` those of them whose did not complete.

    The figures of queries and proposals are of all its runs; `enrichments_applied` counts what they propose. `errors` is
    of the first 100 users that failed; `partial` means that there are some.
    """

    size: int
    round: int
    users_total: int
    users_processed: int
    users_failed: int
    queries_executed: int
    queries_failed: int
    enrichments_applied: int
    errors: list[BatchErrorView]
    partial: bool


def batch_view(batch: Document | None) -> dict[str, Any] | None:
    """Return the batch of a stored run as it is shown, None of any other run."""
    if batch is None:
        return None
    begun = {"users_total": batch["users_total"], "errors": [], "partial": False}
    progress = dict.fromkeys(_BATCH_COUNTS, 0) | begun | (batch.get("progress") or {})
    return {"size": batch["size"], "round": batch["round"], **progress}
