"""The time as MongoDB keeps it."""

from datetime import UTC, datetime, timedelta

from shared.clock import utc_now


def test_now_is_in_utc_at_a_whole_millisecond() -> None:
    now = utc_now()

    assert now.tzinfo is UTC
    assert now.microsecond % 1_000 == 0
    assert timedelta(0) <= datetime.now(UTC) - now < timedelta(seconds=5)
