"""What people approved is told: the check of approvals and the events that carry them to the product."""

from datetime import datetime
from typing import Any, Final

from shared.doctor.comparing import ONE, counted_with
from shared.store.inspection import Probe

_TOLD: Final[list[dict[str, Any]]] = [
    {"$match": {"type": "proposal.approved"}},
    {"$project": {"_id": "$id", "told": ONE}},
]


def untold(before: datetime) -> Probe:
    """Find approved proposals outside memory whose event is missing; those without `evidence` are older than such events."""
    approved = {
        "status": "approved",
        "kind": {"$ne": "memory_diff"},
        "decided_at": {"$lt": before},
        "evidence": {"$exists": True},
        "is_run_retired": {"$ne": True},
    }
    return Probe(
        "proposals",
        [
            {"$match": approved},
            {"$project": {"_id": {"$concat": ["$_id", ":approved"]}, "approved": ONE}},
            *counted_with("events", _TOLD, "approved", "told"),
            {"$match": {"$expr": {"$gt": ["$approved", "$told"]}}},
        ],
    )
