"""The invariants of the platform, each as a question to the database. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.doctor import approvals, dropped, effects, jobs, slots, unfinished, works
from shared.store.inspection import Probe


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold, and how to find what breaks it.

    `probe` gets the moment before which a document must have been left alone to count. A light check reads only an
    index of what is unfinished, and may be asked all the time.
    """

    name: str
    promise: str
    probe: Callable[[datetime], Probe]
    is_light: bool = False


CHECKS: Final[tuple[Check, ...]] = (
    Check(
        "event_undecided",
        "Every accepted event is decided and its runs stored, or it is a dead letter.",
        unfinished.undecided,
        is_light=True,
    ),
    Check("run_overdue", "Every queued run waits, is dispatched, or is due.", unfinished.overdue, is_light=True),
    Check("lease_over", "Every running run has a live lease.", unfinished.without_lease, is_light=True),
    Check("cancel_open", "A run that is to end ends.", unfinished.cancelling, is_light=True),
    Check("aftermath_open", "What follows from an end is done.", unfinished.unsettled, is_light=True),
    Check("slot_held_in_vain", "A slot is held by admitted runs only.", slots.held_in_vain, is_light=True),
    Check("slot_not_held", "An admitted run holds its slots.", slots.not_held, is_light=True),
    Check("slot_over_limit", "No slot has more holders than its limit.", slots.over_limit, is_light=True),
    Check("event_forgotten", "Events without decisions are due for the sweep.", unfinished.forgotten_events),
    Check("run_forgotten", "Unfinished runs are due for the sweep.", unfinished.forgotten_runs),
    Check("decided_run_missing", "Every decided run exists.", works.decided_and_missing),
    Check("run_not_decided", "Every run that began was decided by its event.", works.not_decided),
    Check("run_repeated", "There is one run for an event, an Agent and a target.", works.repeated),
    Check("effect_missing", "Every effect of an ended run is projected.", effects.missing),
    Check("effect_repeated", "No effect is there twice, or without an end.", effects.repeated),
    Check("proposal_orphaned", "Every run with proposals is there.", effects.orphaned),
    Check("approval_untold", "Every approved change outside memory is told once.", approvals.untold),
    Check("memory_repeated", "No proposal changed memory twice.", effects.applied_twice),
    Check("dead_letter_missing", "Every failed run has a dead letter.", dropped.without_dead_letter),
    Check("job_unfollowed", "Every ended job is followed, or its follow-up is under way.", jobs.unfollowed),
    Check("drop_unexplained", "Whatever does not go on says why.", dropped.decisions_without_reason),
    Check("cancel_unexplained", "Every cancelled run says why.", dropped.cancelled_without_reason),
)

LIGHT: Final[tuple[Check, ...]] = tuple(check for check in CHECKS if check.is_light)
