"""What is doubted about a schedule."""

import pytest

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Schedule
from shared.domain.schedule_warnings import schedule_warnings
from tests.unit.shared.given import a_spec

TARGET = {"type": "day", "id": "{data.date}"}


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [(IntervalSchedule(every_seconds=300), 300), (CronSchedule(cron="*/5 9-17 * * *", timezone="Europe/Berlin"), 300)],
)
def test_an_attempt_that_may_outlast_the_interval_is_doubted(schedule: Schedule, seconds: int) -> None:
    spec = a_spec(timeout_seconds=301, schedule_trigger={"schedule": schedule, "target": TARGET})

    (warning,) = schedule_warnings(spec)

    assert warning.startswith(f"timeout_seconds: an attempt of noter may take 301 s, longer than the {seconds} s")


@pytest.mark.parametrize(
    "schedule", [None, IntervalSchedule(every_seconds=300), DailySchedule(daily_hour=7), CronSchedule(cron="0 7 * * *")]
)
def test_one_that_ends_in_time_is_not(schedule: Schedule | None) -> None:
    assert (
        schedule_warnings(a_spec(timeout_seconds=300, schedule_trigger={"schedule": schedule, "target": TARGET})) == []
    )
    assert schedule_warnings(a_spec()) == []


def test_a_bindings_schedule_counts_in_place_of_the_versions() -> None:
    spec = a_spec(
        timeout_seconds=60, schedule_trigger={"schedule": IntervalSchedule(every_seconds=30), "target": TARGET}
    )

    assert len(schedule_warnings(spec, IntervalSchedule(every_seconds=59))) == 1
    assert schedule_warnings(spec, IntervalSchedule(every_seconds=60)) == []
