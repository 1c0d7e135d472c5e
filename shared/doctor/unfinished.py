"""What is under way moves on: the checks of unfinished events and runs."""

from datetime import datetime
from typing import Any, Final

from shared.domain.run import ACTIVE, TERMINAL, RunStatus
from shared.store.inspection import Probe

DUE: Final = "to_sweep"
"""The index of everything unfinished, in `events` and in `runs`."""

_IS_DUE: Final = {"$exists": True}


def undecided(before: datetime) -> Probe:
    """Find events that were accepted and whose decisions and runs may not be stored."""
    return _events({"sweep_at": _IS_DUE, "dead_letter": None, "accepted_at": {"$lt": before}})


def overdue(before: datetime) -> Probe:
    """Find queued runs whose time to be released or dispatched again has passed."""
    return _runs({"sweep_at": {"$lt": before}, "status": RunStatus.QUEUED})


def without_lease(before: datetime) -> Probe:
    """Find running runs whose lease is over."""
    is_over = [{"lease_expires_at": {"$lt": before}}, {"lease_expires_at": None, "changed_at": {"$lt": before}}]
    return _runs({"sweep_at": _IS_DUE, "status": RunStatus.RUNNING, "$or": is_over})


def cancelling(before: datetime) -> Probe:
    """Find active runs that were to be cancelled."""
    return _runs({"sweep_at": _IS_DUE, "status": {"$in": sorted(ACTIVE)}, "cancel.requested_at": {"$lt": before}})


def unsettled(before: datetime) -> Probe:
    """Find ended runs whose effects may not be projected, or whose end may not be told."""
    return _runs({"sweep_at": _IS_DUE, "status": {"$in": sorted(TERMINAL)}, "finished_at": {"$lt": before}})


def forgotten_events(before: datetime) -> Probe:
    """Find events without decisions that the sweep will not look at."""
    not_due = {"gated": False, "sweep_at": None, "dead_letter": None}
    return Probe(
        "events",
        [{"$match": {"accepted_at": {"$lt": before}, "$or": [not_due, {"gated": True, "decisions": None}]}}],
    )


def forgotten_runs(before: datetime) -> Probe:
    """Find active runs that the sweep will not look at."""
    not_due = {"status": {"$in": sorted(ACTIVE)}, "sweep_at": None, "changed_at": {"$lt": before}}
    return Probe("runs", [{"$match": not_due}])


def _events(query: dict[str, Any]) -> Probe:
    return Probe("events", [{"$match": query}], DUE)


def _runs(query: dict[str, Any]) -> Probe:
    return Probe("runs", [{"$match": query}], DUE)
