"""Jobs: long work outside, watched until its end, and followed until that end has reached the session it belongs to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from contracts.ids import derived_id
from contracts.jobs import JobStatus

Document = Mapping[str, Any]

RUNNING: Final = "running"
"""The status of a job that has not ended; all others are those of `contracts.jobs.JobStatus`."""


class FollowUpStatus(StrEnum):
    """What became of the end of a job.

    `pending`: its run is queued or running, `waiting`: a turn of the session is open, `done`: the answer is in the
    session, `dead_letter`: the run failed for good, `handled`: there was nothing to continue, and `code` says why.
    """

    PENDING = "pending"
    WAITING = "waiting"
    DONE = "done"
    DEAD_LETTER = "dead_letter"
    HANDLED = "handled"


def job_key(organisation: str, job_id: str) -> str:
    """Return the id under which a job is stored."""
    return derived_id("job", organisation, job_id)


def due_at(deadline_at: datetime | None, heartbeat_at: datetime, heartbeat_seconds: int | None) -> datetime | None:
    """Return when a job without another word has ended: at its deadline, or when it has been silent for too long."""
    silent_at = None if heartbeat_seconds is None else heartbeat_at + timedelta(seconds=heartbeat_seconds)
    return min((moment for moment in (deadline_at, silent_at) if moment is not None), default=None)


def overdue(job: Document, now: datetime) -> JobStatus | None:
    """Return how a job that gave no other word has ended by now."""
    if job["deadline_at"] is not None and job["deadline_at"] <= now:
        return JobStatus.TIMED_OUT
    due = due_at(None, job["heartbeat_at"], job["heartbeat_seconds"])
    return JobStatus.DIED if due is not None and due <= now else None
