"""Decisions and runs belong together: the checks of what was decided and what exists."""

from datetime import datetime

from shared.store.inspection import Probe

NOT_DECIDED = "not_decided"


def decided_and_missing(before: datetime) -> Probe:
    """Find runs that a gate decided and that are neither there nor deleted with age."""
    is_expected = {"$and": [{"$eq": ["$$this.outcome", "run"]}, {"$ne": ["$$this.is_retired", True]}]}
    decided = {"$filter": {"input": "$decisions", "cond": is_expected}}
    run_ids = {"$map": {"input": decided, "in": "$$this.run_id"}}
    return Probe(
        "events",
        [
            {"$match": {"decisions.outcome": "run", "gated_at": {"$lt": before}}},
            {"$project": {"wanted": run_ids}},
            {
                "$lookup": {
                    "from": "runs",
                    "localField": "wanted",
                    "foreignField": "_id",
                    "pipeline": [{"$project": {"_id": 1}}],
                    "as": "present",
                }
            },
            {"$project": {"missing": {"$setDifference": ["$wanted", "$present._id"]}}},
            {"$unwind": "$missing"},
            {"$project": {"_id": "$missing"}},
        ],
    )


def not_decided(before: datetime) -> Probe:
    """Find runs that began although no decision of their event names them; one cancelled for just that is right."""
    began = {"attempt": {"$gt": 0}, "changed_at": {"$lt": before}, "error.code": {"$ne": NOT_DECIDED}}
    return Probe(
        "runs",
        [
            {"$match": began},
            {"$project": {"event_key": 1}},
            {
                "$lookup": {
                    "from": "events",
                    "localField": "event_key",
                    "foreignField": "_id",
                    "pipeline": [{"$project": {"decisions.run_id": 1}}],
                    "as": "event",
                }
            },
            {
                "$match": {
                    "$expr": {"$not": {"$in": ["$_id", {"$ifNull": [{"$first": "$event.decisions.run_id"}, []]}]}}
                }
            },
        ],
    )


def repeated(before: datetime) -> Probe:
    """Find works that have more than one run; the last of these is named."""
    work = {"event": "$event_key", "agent": "$agent_key", "type": "$target.type", "target": "$target.id"}
    return Probe(
        "runs",
        [
            {"$project": {"event_key": 1, "agent_key": 1, "target": 1}},
            {"$group": {"_id": work, "runs": {"$sum": 1}, "run": {"$max": "$_id"}}},
            {"$match": {"runs": {"$gt": 1}}},
            {"$project": {"_id": "$run"}},
        ],
    )
