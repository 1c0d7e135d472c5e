"""Nothing is dropped in silence: the checks of what does not go on."""

from datetime import datetime, timedelta
from typing import Final

from shared.doctor.comparing import ONE, counted_with
from shared.domain.run import RunStatus
from shared.store.dead_letters import KEPT_FOR
from shared.store.inspection import Probe

_SURELY_KEPT_FOR: Final = KEPT_FOR - timedelta(hours=1)


def without_dead_letter(before: datetime) -> Probe:
    """Find failed runs, replays apart, without a dead letter, of those whose letter cannot have been deleted with age."""
    settled = {"status": RunStatus.FAILED, "sweep_at": None, "replay": None}
    return Probe(
        "runs",
        [
            {"$match": {**settled, "finished_at": {"$lt": before, "$gte": before - _SURELY_KEPT_FOR}}},
            {"$project": {"failures": ONE}},
            *counted_with("dead_letters", [{"$project": {"letters": ONE}}], "failures", "letters"),
            {"$match": {"failures": {"$gt": 0}, "letters": 0}},
        ],
    )


def decisions_without_reason(before: datetime) -> Probe:
    """Find events with a decision that starts nothing and does not say why."""
    unexplained = {"outcome": {"$ne": "run"}, "reason": {"$in": [None, ""]}}
    return Probe("events", [{"$match": {"gated": True, "decisions": {"$elemMatch": unexplained}}}])


def cancelled_without_reason(before: datetime) -> Probe:
    """Find cancelled runs that name neither an error nor a request."""
    return Probe("runs", [{"$match": {"status": RunStatus.CANCELLED, "error": None, "cancel": None}}])
