"""Everything that is kept for a time is kept for as much of the simulated time."""

from infra.soak.calendar import Calendar


def test_two_weeks_with_the_retention_of_an_installation() -> None:
    calendar = Calendar(days=14, day_seconds=24, history_days=7)

    assert calendar.environment() == {
        "HISTORY_RETENTION_SECONDS": "168",
        "EVENT_RETENTION_SECONDS": "168",
        "AI_QUEUE_STATUS_RETENTION_SECONDS": "1",
    }


def test_nothing_is_kept_for_less_than_a_second() -> None:
    assert set(Calendar(days=1, day_seconds=0.01, history_days=1).environment().values()) == {"1"}
