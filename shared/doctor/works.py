"""Decisions and runs belong together: the checks of what was decided and what exists."""

from datetime import datetime
from typing import Any, Final

from shared.doctor.comparing import ONE, counted_with
from shared.store.inspection import Probe

NOT_DECIDED: Final = "not_decided"
_STARTS_A_RUN: Final = {"decisions.outcome": {"$in": ["run", "coalesced"]}}
"""Or is taken by one that another event has started."""
_DECIDED_ITSELF: Final = {"replay": None, "parent_id": None}
"""A replay does again what was decided for another run, and the run of a batch what was decided for its parent."""


def decided_and_missing(before: datetime) -> Probe:
    """Find runs that a gate decided and that are neither there nor deleted with age."""
    expected = {**_STARTS_A_RUN, "decisions.is_retired": {"$ne": True}}
    return Probe(
        "events",
        [
            {"$match": {"gated_at": {"$lt": before}, **_STARTS_A_RUN}},
            *_each_decision(expected, {"decided": ONE}),
            *counted_with("runs", [{"$project": {"present": ONE}}], "decided", "present"),
            {"$match": {"decided": {"$gt": 0}, "present": 0}},
        ],
    )


def not_decided(before: datetime) -> Probe:
    """Find runs that began although no decision of their event names them; one cancelled for just that is right."""
    began = {
        "attempt": {"$gt": 0},
        "changed_at": {"$lt": before},
        "error.code": {"$ne": NOT_DECIDED},
        **_DECIDED_ITSELF,
    }
    return Probe(
        "runs",
        [
            {"$match": began},
            {"$project": {"began": ONE}},
            *counted_with("events", _each_decision(_STARTS_A_RUN, {"decided": ONE}), "began", "decided"),
            {"$match": {"began": {"$gt": 0}, "decided": 0}},
        ],
    )


def repeated(before: datetime) -> Probe:
    """Find works that have more than one run; the last of these is named.

    A run that was cancelled because no decision names it does no work.
    """
    work = {"event": "$event_key", "agent": "$agent_key", "type": "$target.type", "target": "$target.id"}
    return Probe(
        "runs",
        [
            {"$match": {"error.code": {"$ne": NOT_DECIDED}, **_DECIDED_ITSELF}},
            {"$group": {"_id": work, "runs": {"$sum": 1}, "run": {"$max": "$_id"}}},
            {"$match": {"runs": {"$gt": 1}}},
            {"$project": {"_id": "$run"}},
        ],
    )


def _each_decision(wanted: dict[str, Any], counted: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the stages that make a document of each decision that is wanted, with the id of its run."""
    return [
        {"$unwind": "$decisions"},
        {"$match": wanted},
        {"$project": {"_id": "$decisions.run_id", **counted}},
    ]
