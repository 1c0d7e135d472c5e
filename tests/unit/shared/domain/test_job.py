"""When a job that nobody hears of any more has ended."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.job import due_at, overdue
from tests.unit.shared.given import NOW

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("deadline_at", "heartbeat_seconds", "due"),
    [
        (None, None, None),
        (NOW + MINUTE, None, NOW + MINUTE),
        (None, 30, NOW + MINUTE / 2),
        (NOW + MINUTE, 30, NOW + MINUTE / 2),
        (NOW + MINUTE, 90, NOW + MINUTE),
    ],
)
def test_a_job_is_due_at_its_deadline_or_when_it_is_silent_for_too_long(
    deadline_at: Any, heartbeat_seconds: int | None, due: Any
) -> None:
    assert due_at(deadline_at, NOW, heartbeat_seconds) == due


@pytest.mark.parametrize(
    ("after", "ended"),
    [(MINUTE / 4, None), (MINUTE / 2, "died"), (MINUTE, "timed_out"), (2 * MINUTE, "timed_out")],
)
def test_a_deadline_that_has_passed_counts_more_than_silence(after: timedelta, ended: str | None) -> None:
    job = {"deadline_at": NOW + MINUTE, "heartbeat_at": NOW, "heartbeat_seconds": 30}

    assert overdue(job, NOW + after) == ended
