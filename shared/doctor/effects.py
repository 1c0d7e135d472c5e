"""What an Agent asked for is there once: the checks of effects, proposals and the memory that they changed."""

from datetime import datetime
from typing import Final

from contracts.agents import EffectKind
from shared.doctor.comparing import ONE, counted_with
from shared.domain.run import TERMINAL
from shared.store.inspection import Probe

_EFFECTS: Final = {
    "$size": {
        "$filter": {
            "input": {"$ifNull": ["$effects", []]},
            "cond": {
                "$and": [
                    {"$eq": [{"$ifNull": ["$$this.dropped", None]}, None]},
                    {"$ne": ["$$this.kind", EffectKind.SESSION_MESSAGE]},
                ]
            },
        }
    }
}
_PROPOSALS: Final = [{"$project": {"_id": "$run_id", "proposals": ONE}}]


def missing(before: datetime) -> Probe:
    """Find settled runs that have fewer proposals than effects."""
    settled = {"status": {"$in": sorted(TERMINAL)}, "sweep_at": None, "changed_at": {"$lt": before}}
    return Probe(
        "runs",
        [
            {"$match": {**settled, "effects.0": {"$exists": True}}},
            {"$project": {"effects": _EFFECTS}},
            *counted_with("proposals", _PROPOSALS, "effects", "proposals"),
            {"$match": {"$expr": {"$lt": ["$proposals", "$effects"]}}},
        ],
    )


def repeated(before: datetime) -> Probe:
    """Find runs that have more proposals than effects, or have some and have not ended."""
    has_ended = {"$in": ["$status", sorted(TERMINAL)]}
    effects = {"$cond": [has_ended, _EFFECTS, 0]}
    return Probe(
        "proposals",
        [
            *_PROPOSALS,
            *counted_with("runs", [{"$project": {"effects": effects, "runs": ONE}}], "effects", "proposals", "runs"),
            {"$match": {"runs": 1, "$expr": {"$gt": ["$proposals", "$effects"]}}},
        ],
    )


def orphaned(before: datetime) -> Probe:
    """Find runs that have proposals and are neither there nor deleted with age."""
    return Probe(
        "proposals",
        [
            {"$match": {"is_run_retired": {"$ne": True}}},
            *_PROPOSALS,
            *counted_with("runs", [{"$project": {"runs": ONE}}], "proposals", "runs"),
            {"$match": {"proposals": {"$gt": 0}, "runs": 0}},
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
