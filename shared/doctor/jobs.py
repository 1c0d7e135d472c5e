"""No job ends in silence: the check of follow-ups."""

from datetime import datetime
from typing import Final

from shared.domain.run import ACTIVE
from shared.store.inspection import Probe

_UNFOLLOWED: Final = "unfollowed"
"""The index of jobs that have ended and whose end is not followed yet: few, so each may be looked up."""
_OF_ITS_RUN: Final = {"let": {"run": "$follow_up.run_id"}}
_THAT_WAITS: Final = [{"$match": {"waiting": True, "$expr": {"$eq": ["$run_id", "$$run"]}}}]


def unfollowed(before: datetime) -> Probe:
    """Find jobs that ended and for whose end no run is open, and no answer waits for its place."""
    return Probe(
        "jobs",
        [
            {"$match": {"unfollowed_since": {"$lt": before}}},
            {"$lookup": {"from": "runs", "localField": "follow_up.run_id", "foreignField": "_id", "as": "run"}},
            {"$match": {"run.status": {"$nin": sorted(ACTIVE)}}},
            {"$lookup": {**_OF_ITS_RUN, "from": "session_messages", "pipeline": _THAT_WAITS, "as": "answer"}},
            {"$match": {"answer": []}},
        ],
        _UNFOLLOWED,
    )
