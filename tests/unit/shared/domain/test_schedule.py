"""When schedules are due: against plain reckoning on the wall clock, across summer time and leap days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Schedule
from shared.domain.schedule import due_between, following, moment_of, next_due, on_clock_of, schedule_text, shortest_gap

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Havana", "UTC")
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
DAILY = st.builds(DailySchedule, daily_hour=st.integers(0, 23), timezone=st.sampled_from(ZONES))
CRON = st.builds(
    CronSchedule,
    cron=st.sampled_from(
        ["30 2 * * *", "15,45 1-3 * * *", "*/10 * * * *", "5 */6 * * *", "0 0 L * *", "0 12 29 2 *", "0 3 * * MON#5"]
    ),
    timezone=st.sampled_from(ZONES),
)
INTERVALS = st.builds(IntervalSchedule, every_seconds=st.integers(1, 31 * 86_400))


def due_on(day: date, hour: int, zone: str) -> datetime:
    """Return the moment of that hour on that day: its first one, or the change of clocks when it is skipped."""
    # In a gap, the offset before the change applies, which makes a skipped hour's start the change itself.
    return datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(schedule=DAILY, after=MOMENTS)
@example(DailySchedule(daily_hour=2, timezone="Europe/Berlin"), utc("2026-03-29T00:59:59"))
@example(DailySchedule(daily_hour=2, timezone="Europe/Berlin"), utc("2026-10-25T00:30:00"))
@example(DailySchedule(daily_hour=1, timezone="America/New_York"), utc("2026-11-01T05:30:00"))
@example(DailySchedule(daily_hour=1, timezone="America/New_York"), utc("2026-11-01T06:30:00"))
@example(DailySchedule(daily_hour=0, timezone="America/Havana"), utc("2026-03-08T04:59:59"))
def test_a_daily_hour_is_due_once_on_every_day_of_its_wall_clock(schedule: DailySchedule, after: datetime) -> None:
    today = after.astimezone(ZoneInfo(schedule.timezone)).date()
    days = [today + timedelta(days=offset) for offset in range(-1, 3)]

    expected = min(due for day in days if (due := due_on(day, schedule.daily_hour, schedule.timezone)) > after)

    assert next_due(schedule, after) == expected


@given(schedule=INTERVALS, after=MOMENTS)
def test_an_interval_is_due_at_the_next_whole_multiple_since_1970(schedule: IntervalSchedule, after: datetime) -> None:
    due = next_due(schedule, after)

    assert timedelta(0) < due - after <= timedelta(seconds=schedule.every_seconds)
    assert (due - EPOCH) % timedelta(seconds=schedule.every_seconds) == timedelta(0)


@given(schedule=st.one_of(DAILY, INTERVALS, CRON), after=MOMENTS)
def test_the_following_moments_are_each_the_next_after_the_one_before(schedule: Schedule, after: datetime) -> None:
    moments = following(schedule, after, 5)

    assert moments == [next_due(schedule, each) for each in (after, *moments[:-1])]
    assert moments == sorted(set(moments))
    assert moments[0] > after


@given(schedule=st.one_of(DAILY, INTERVALS, CRON), since=MOMENTS, passed=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_what_is_due_between_is_all_that_is_next_up_to_the_end(
    schedule: Schedule, since: datetime, passed: timedelta
) -> None:
    due = due_between(schedule, since, since + passed)

    if len(due) == 0:
        assert next_due(schedule, since) > since + passed
    else:
        assert moment_of(due[0]) == next_due(schedule, since)
        assert moment_of(due[-1]) <= since + passed < next_due(schedule, moment_of(due[-1]))
        assert [moment_of(each) for each in due[:5]] == following(schedule, since, 5)[: len(due)]


@pytest.mark.parametrize(
    ("zone", "hour", "after", "due"),
    [
        ("Europe/Berlin", 8, "2026-07-01T05:00", "2026-07-01T06:00"),
        ("Europe/Berlin", 8, "2026-12-01T05:00", "2026-12-01T07:00"),
        # 02:00 is skipped: due at the change, which is 03:00 in summer time.
        ("Europe/Berlin", 2, "2026-03-28T12:00", "2026-03-29T01:00"),
        ("America/New_York", 2, "2026-03-07T12:00", "2026-03-08T07:00"),
        # 02:00 and 01:00 happen twice: due the first time only.
        ("Europe/Berlin", 2, "2026-10-24T12:00", "2026-10-25T00:00"),
        ("Europe/Berlin", 2, "2026-10-25T00:00", "2026-10-26T01:00"),
        ("America/New_York", 1, "2026-10-31T12:00", "2026-11-01T05:00"),
        ("America/New_York", 1, "2026-11-01T05:00", "2026-11-02T06:00"),
        # The leap day is a day, and 2027 has none.
        ("UTC", 0, "2028-02-28T12:00", "2028-02-29T00:00"),
        ("UTC", 0, "2028-02-29T00:00", "2028-03-01T00:00"),
        ("UTC", 0, "2027-02-28T00:00", "2027-03-01T00:00"),
        ("UTC", 23, "2026-12-31T23:00", "2027-01-01T23:00"),
    ],
)
def test_days_that_are_unlike_others(zone: str, hour: int, after: str, due: str) -> None:
    assert next_due(DailySchedule(daily_hour=hour, timezone=zone), utc(after)) == utc(due)


@pytest.mark.parametrize(("zone", "day"), [("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-11-01")])
@pytest.mark.parametrize("hour", range(24))
def test_a_day_of_25_hours_has_each_hour_due_once(zone: str, day: str, hour: int) -> None:
    schedule = DailySchedule(daily_hour=hour, timezone=zone)
    start = datetime.fromisoformat(f"{day}T00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)

    first = next_due(schedule, start)

    assert first.astimezone(ZoneInfo(zone)).date() == date.fromisoformat(day)
    assert next_due(schedule, first).astimezone(ZoneInfo(zone)).date() == date.fromisoformat(day) + timedelta(days=1)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "due"),
    [
        # 02:30 is skipped: due at the change. With `*` it goes by the time that passes, so nothing is to be made up for.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00", "2026-03-30T00:30"),
        ("30 * * * *", "Europe/Berlin", "2026-03-29T00:30", "2026-03-29T01:30"),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-08T07:00"),
        ("30 2 * * *", "America/New_York", "2026-03-08T07:00", "2026-03-09T06:30"),
        # 02:30 and 01:30 happen twice: due the first time, also for one who asks between the two.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10", "2026-10-26T01:30"),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00", "2026-11-01T05:30"),
        ("30 1 * * *", "America/New_York", "2026-11-01T06:10", "2026-11-02T06:30"),
        # With `*` both are due.
        ("30 * * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("30 * * * *", "America/New_York", "2026-11-01T05:30", "2026-11-01T06:30"),
        # 29 February, and the ends of months.
        ("0 7 29 2 *", "UTC", "2026-01-01T00:00", "2028-02-29T07:00"),
        ("0 7 29 2 *", "UTC", "2096-03-01T00:00", "2104-02-29T07:00"),
        ("0 0 31 * *", "UTC", "2026-01-31T00:00", "2026-03-31T00:00"),
        ("0 0 L * *", "UTC", "2026-01-31T00:00", "2026-02-28T00:00"),
        ("0 0 L * *", "Europe/Berlin", "2028-02-27T00:00", "2028-02-28T23:00"),
        ("30 7 * * MON-FRI", "Europe/Berlin", "2026-11-20T12:00", "2026-11-23T06:30"),
    ],
)
def test_cron_follows_the_wall_clock_of_its_zone(cron: str, zone: str, after: str, due: str) -> None:
    assert next_due(CronSchedule(cron=cron, timezone=zone), utc(after)) == utc(due)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize(
    ("schedule_per_day", "fires"), [("30 2 * * *", 365), ("30 1 * * *", 365), ("0 * * * *", 8_760)]
)
def test_a_year_has_as_many_moments_as_its_days_or_its_hours(zone: str, schedule_per_day: str, fires: int) -> None:
    schedule = CronSchedule(cron=schedule_per_day, timezone=zone)

    assert len(due_between(schedule, utc("2026-01-01T12:15"), utc("2027-01-01T12:15"))) == fires


def test_a_moment_that_is_due_now_is_due_and_the_one_since_which_is_not() -> None:
    hourly = IntervalSchedule(every_seconds=3_600)

    nine = due_between(hourly, utc("2026-11-20T08:00"), utc("2026-11-20T09:00"))

    assert [moment_of(each) for each in nine] == [utc("2026-11-20T09:00")]
    assert len(due_between(hourly, utc("2026-11-20T09:00"), utc("2026-11-20T09:59"))) == 0


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        (IntervalSchedule(every_seconds=90), timedelta(seconds=90)),
        (DailySchedule(daily_hour=3), None),
        (CronSchedule(cron="* * * * *"), timedelta(minutes=1)),
        (CronSchedule(cron="0,10,15 7 * * *"), timedelta(minutes=5)),
        (CronSchedule(cron="5,55 0,23 * * *"), timedelta(minutes=10)),
        (CronSchedule(cron="0 0,1 29 2 *", timezone="Europe/Berlin"), timedelta(hours=1)),
        (CronSchedule(cron="0 7 * * MON"), None),
    ],
)
def test_the_shortest_gap_is_that_between_any_two_moments(schedule: Schedule, gap: timedelta | None) -> None:
    assert shortest_gap(schedule) == gap


def test_schedules_are_said_in_words() -> None:
    assert schedule_text(IntervalSchedule(every_seconds=900)) == "every 900 s"
    assert schedule_text(DailySchedule(daily_hour=7, timezone="Europe/Berlin")) == "daily at 07:00 Europe/Berlin"
    weekdays = CronSchedule(cron="30 7 * * MON-FRI", timezone="Europe/Berlin")
    assert schedule_text(weekdays) == "cron 30 7 * * MON-FRI Europe/Berlin"
    on_clock = DailySchedule(daily_hour=7, timezone="member")
    assert schedule_text(on_clock) == "daily at 07:00 on each member's clock"


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (
            DailySchedule(daily_hour=7, timezone="member"),
            DailySchedule(daily_hour=7, timezone="Asia/Tokyo"),
        ),
        (
            CronSchedule(cron="0 7 * * *", timezone="member"),
            CronSchedule(cron="0 7 * * *", timezone="Asia/Tokyo"),
        ),
        (DailySchedule(daily_hour=7), DailySchedule(daily_hour=7, timezone="UTC")),
        (IntervalSchedule(every_seconds=60), IntervalSchedule(every_seconds=60)),
    ],
)
def test_only_what_follows_the_clock_of_the_member_takes_that_clock(schedule: Schedule, expected: Schedule) -> None:
    assert on_clock_of(schedule, "Asia/Tokyo") == expected
