"""What an Agent asked for is there once: the checks of effects, proposals and the memory that they changed."""

from datetime import datetime
from typing import Any, Final

from shared.domain.run import TERMINAL
from shared.store.inspection import Probe

_PRESENT: Final = {
    "$size": {
        "$filter": {
            "input": {"$ifNull": ["$effects", []]},
            "cond": {"$eq": [{"$ifNull": ["$$this.dropped", None]}, None]},
        }
    }
}
_HAS_ENDED: Final = {"$in": ["$status", sorted(TERMINAL)]}


def missing(before: datetime) -> Probe:
    """Find settled runs that have fewer proposals than effects."""
    settled = {"status": {"$in": sorted(TERMINAL)}, "sweep_at": None, "changed_at": {"$lt": before}}
    return Probe(
        "runs",
        [
            {"$match": {**settled, "effects.0": {"$exists": True}}},
            {"$project": {"wanted": _PRESENT}},
            {"$match": {"wanted": {"$gt": 0}}},
            _lookup("proposals", "_id", "run_id", {"_id": 1}, "proposals"),
            {"$match": {"$expr": {"$lt": [{"$size": "$proposals"}, "$wanted"]}}},
        ],
    )


def repeated(before: datetime) -> Probe:
    """Find runs that have more proposals than effects, or have some and have not ended."""
    wanted = {"$cond": [_HAS_ENDED, _PRESENT, 0]}
    return Probe(
        "proposals",
        [
            {"$group": {"_id": "$run_id", "proposals": {"$sum": 1}}},
            _lookup("runs", "_id", "_id", {"wanted": wanted}, "run"),
            {"$unwind": "$run"},
            {"$match": {"$expr": {"$gt": ["$proposals", "$run.wanted"]}}},
        ],
    )


def orphaned(before: datetime) -> Probe:
    """Find proposals whose run is neither there nor deleted with age."""
    return Probe(
        "proposals",
        [
            {"$match": {"is_run_retired": {"$ne": True}}},
            {"$project": {"run_id": 1}},
            _lookup("runs", "run_id", "_id", {"_id": 1}, "run"),
            {"$match": {"run": []}},
        ],
    )


def applied_twice(before: datetime) -> Probe:
    """Find proposals that made more than one version of a memory block."""
    return Probe(
        "memory_versions",
        [
            {"$match": {"author.proposal_id": {"$ne": None}}},
            {"$group": {"_id": "$author.proposal_id", "versions": {"$sum": 1}}},
            {"$match": {"versions": {"$gt": 1}}},
        ],
    )


def _lookup(collection: str, local: str, foreign: str, needed: dict[str, Any], into: str) -> dict[str, Any]:
    return {
        "$lookup": {
            "from": collection,
            "localField": local,
            "foreignField": foreign,
            "pipeline": [{"$project": needed}],
            "as": into,
        }
    }
