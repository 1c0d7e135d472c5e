"""Places are held by those who may: the checks of slots."""

from datetime import datetime
from typing import Final

from shared.doctor.unfinished import DUE
from shared.domain.run import RunStatus
from shared.store.inspection import Probe

ADMITTED: Final = [{"status": RunStatus.QUEUED, "waiting_for": None}, {"status": RunStatus.RUNNING}]


def held_in_vain(before: datetime) -> Probe:
    """Find slots with a run that does not exist, waits or has ended."""
    needed = {"status": 1, "waiting_for": 1, "changed_at": 1}
    return Probe(
        "slots",
        [
            {"$unwind": "$holders"},
            {
                "$lookup": {
                    "from": "runs",
                    "localField": "holders",
                    "foreignField": "_id",
                    "pipeline": [
                        {"$match": {"$or": [*ADMITTED, {"changed_at": {"$gte": before}}]}},
                        {"$project": needed},
                    ],
                    "as": "held",
                }
            },
            {"$match": {"held": []}},
            {"$project": {"_id": {"$concat": ["$_id", " by ", "$holders"]}}},
        ],
    )


def not_held(before: datetime) -> Probe:
    """Find admitted runs that lack a place in a slot of theirs."""
    return Probe(
        "runs",
        [
            {
                "$match": {
                    "sweep_at": {"$exists": True},
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
