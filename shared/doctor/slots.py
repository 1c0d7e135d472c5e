"""Places are held by those who may: the checks of slots."""

from datetime import datetime
from typing import Final

from shared.doctor.comparing import ONE
from shared.doctor.unfinished import DUE
from shared.domain.run import RunStatus
from shared.store.inspection import Probe

_IS_DUE: Final = {"$exists": True}
ADMITTED: Final = [{"status": RunStatus.QUEUED, "waiting_for": None}, {"status": RunStatus.RUNNING}]


def held_in_vain(before: datetime) -> Probe:
    """Find slots with a run that does not exist, waits or has ended."""
    rightly = {"$or": [*ADMITTED, {"changed_at": {"$gte": before}}]}
    has_it = {"$project": {"rightly": ONE}}
    return Probe(
        "slots",
        [
            {"$unwind": "$holders"},
            {"$project": {"_id": "$holders", "slot": "$_id"}},
            {"$unionWith": {"coll": "runs", "pipeline": [{"$match": {"sweep_at": _IS_DUE, **rightly}}, has_it]}},
            # Its places are freed after the end, and then it may be settled already.
            {"$unionWith": {"coll": "runs", "pipeline": [{"$match": {"finished_at": {"$gte": before}}}, has_it]}},
            {"$group": {"_id": "$_id", "slots": {"$addToSet": "$slot"}, "rightly": {"$sum": "$rightly"}}},
            {"$match": {"rightly": 0}},
            {"$unwind": "$slots"},
            {"$project": {"_id": {"$concat": ["$slots", " by ", "$_id"]}}},
        ],
    )


def not_held(before: datetime) -> Probe:
    """Find admitted runs that lack a place in a slot of theirs."""
    return Probe(
        "runs",
        [
            {
                "$match": {
                    "sweep_at": _IS_DUE,
                    "$or": ADMITTED,
                    "changed_at": {"$lt": before},
                    "slots.0": {"$exists": True},
                }
            },
            {"$project": {"slots": 1}},
            {"$unwind": "$slots"},
            {"$group": {"_id": "$slots", "runs": {"$addToSet": "$_id"}}},
            {"$lookup": {"from": "slots", "localField": "_id", "foreignField": "_id", "as": "slot"}},
            {
                "$project": {
                    "run": {"$setDifference": ["$runs", {"$ifNull": [{"$first": "$slot.holders"}, []]}]},
                }
            },
            {"$unwind": "$run"},
            {"$project": {"_id": {"$concat": ["$run", " not in ", "$_id"]}}},
        ],
        DUE,
    )


def over_limit(before: datetime) -> Probe:
    """Find slots with more holders than they have room for."""
    return Probe("slots", [{"$match": {"$expr": {"$gt": [{"$size": "$holders"}, "$limit"]}}}])
