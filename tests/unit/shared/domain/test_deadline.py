"""When a run has had its time."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.deadline import overdue, run_deadline
from shared.domain.run import RunStatus
from shared.store.run_documents import run_document
from tests.unit.shared.given import LATER, NOW, a_new_run, a_stored_run

SECOND = timedelta(seconds=1)


def a_run(**changes: Any) -> dict[str, Any]:
    return run_document(a_new_run(queue_timeout_seconds=60, run_timeout_seconds=100)) | changes


def code_at(run: dict[str, Any], moment: datetime) -> str | None:
    error = overdue(run, moment)
    return None if error is None else error.code


def test_a_run_that_was_not_started_in_time_has_waited_too_long() -> None:
    assert code_at(a_run(), NOW + 60 * SECOND) == "queue_timed_out"
    assert code_at(a_run(), NOW + 59.9 * SECOND) is None


def test_the_time_in_the_queue_is_named() -> None:
    error = overdue(a_run(), NOW + 90 * SECOND)

    assert error is not None
    assert "within 60 s" in error.detail


def test_a_run_that_was_claimed_too_late_has_waited_too_long_all_the_same() -> None:
    late = a_run(status=RunStatus.RUNNING, attempt=1, started_at=NOW + 60 * SECOND)

    assert code_at(late, NOW + 61 * SECOND) == "queue_timed_out"


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_run_that_was_started_in_time_may_be_queued_again_later(attempt: int) -> None:
    started = a_run(attempt=attempt, started_at=NOW + 59 * SECOND)

    assert code_at(started, NOW + 70 * SECOND) is None


def test_the_time_of_the_run_counts_from_its_first_start_over_all_attempts() -> None:
    started = a_run(attempt=3, started_at=LATER)

    assert run_deadline(started) == LATER + 100 * SECOND
    assert code_at(started, LATER + 99.9 * SECOND) is None
    assert code_at(started, LATER + 100 * SECOND) == "run_timed_out"


def test_a_run_without_limits_is_never_overdue() -> None:
    forever = NOW + timedelta(days=3_650)

    assert [code_at(a_stored_run(status), forever) for status in (RunStatus.QUEUED, RunStatus.RUNNING)] == [None, None]
