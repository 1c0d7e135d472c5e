"""Which moments are fired after a while without a scheduler, and by how much members are spread."""

from datetime import UTC, datetime, timedelta
from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Misfire, Schedule, ScheduleTrigger
from shared.domain.firing import GRACE, FiringRule, fire_id, to_fire
from shared.domain.schedule import due_between

NONE = timedelta(0)
SECOND = timedelta(seconds=1)
HOURLY = IntervalSchedule(every_seconds=3_600)
CRON = CronSchedule(cron="0 * * * *", timezone="Europe/Berlin")
SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
RULES = st.builds(FiringRule, st.sampled_from(Misfire), st.integers(1, 100), st.just(0))


def hours(*each: int) -> tuple[datetime, ...]:
    return tuple(datetime(2026, 11, 20, hour, tzinfo=UTC) for hour in each)


@pytest.mark.parametrize("schedule", [HOURLY, CRON])
@pytest.mark.parametrize(
    ("rule", "back_at", "fired", "left_out"),
    [
        # Down from 06:00, back half an hour after the last moment: all six are missed.
        (FiringRule(Misfire.SKIP), NOON + timedelta(minutes=30), (), 6),
        (FiringRule(Misfire.FIRE_ONCE), NOON + timedelta(minutes=30), hours(12), 5),
        (FiringRule(Misfire.FIRE_ALL), NOON + timedelta(minutes=30), hours(7, 8, 9, 10, 11, 12), 0),
        (FiringRule(Misfire.FIRE_ALL, misfire_limit=2), NOON + timedelta(minutes=30), hours(11, 12), 4),
        # Back in time for the last one.
        (FiringRule(Misfire.SKIP), NOON + GRACE, hours(12), 5),
        (FiringRule(Misfire.SKIP), NOON + GRACE + SECOND, (), 6),
        (FiringRule(Misfire.FIRE_ONCE), NOON + GRACE, hours(12), 5),
    ],
)
def test_six_hours_without_a_scheduler(
    schedule: Schedule, rule: FiringRule, back_at: datetime, fired: tuple[datetime, ...], left_out: int
) -> None:
    firing = to_fire(schedule, SIX, back_at, rule, NONE)

    assert (firing.moments, firing.left_out, firing.since) == (fired, left_out, NOON)


@pytest.mark.parametrize("misfire", Misfire)
def test_a_moment_in_time_is_fired_whatever_the_rule(misfire: Misfire) -> None:
    firing = to_fire(HOURLY, SIX, SIX + timedelta(hours=1, seconds=2), FiringRule(misfire), NONE)

    assert (firing.moments, firing.left_out) == (hours(7), 0)


def test_a_daily_hour_that_was_missed_for_a_month_is_made_up_for_once() -> None:
    daily = DailySchedule(daily_hour=7, timezone="Europe/Berlin")

    firing = to_fire(
        daily, datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 4, 2, 12, tzinfo=UTC), FiringRule(), NONE
    )

    assert firing.moments == (datetime(2026, 4, 2, 5, tzinfo=UTC),)
    assert firing.left_out == 31


def test_nothing_due_changes_nothing() -> None:
    firing = to_fire(HOURLY, SIX, SIX + timedelta(minutes=59), FiringRule(), NONE)

    assert (firing.moments, firing.left_out, firing.since) == ((), 0, SIX)


@given(rule=RULES, every=st.integers(1, 100_000), passed=st.timedeltas(NONE, timedelta(days=30)))
def test_every_moment_is_fired_or_counted_and_the_latest_are_the_ones_fired(
    rule: FiringRule, every: int, passed: timedelta
) -> None:
    schedule = IntervalSchedule(every_seconds=every)
    due = due_between(schedule, SIX, SIX + passed)

    firing = to_fire(schedule, SIX, SIX + passed, rule, NONE)

    assert len(firing.moments) + firing.left_out == len(due)
    assert all(int(moment.timestamp()) in due[-len(firing.moments) :] for moment in firing.moments)


def test_jitter_moves_when_it_is_fired_and_not_what_is_due() -> None:
    rule, offset = FiringRule(Misfire.SKIP, jitter_seconds=1_800), timedelta(minutes=20)

    early = to_fire(HOURLY, SIX, hours(7)[0] + offset - SECOND, rule, offset)
    in_time = to_fire(HOURLY, SIX, hours(7)[0] + offset + SECOND, rule, offset)
    late = to_fire(HOURLY, SIX, hours(7)[0] + offset + GRACE + SECOND, rule, offset)

    assert (early.moments, in_time.moments, late.moments) == ((), hours(7), ())


def test_a_thousand_members_are_spread_over_the_jitter_and_stay_where_they_are() -> None:
    rule, ids = FiringRule(jitter_seconds=600), [f"sch_{number}" for number in islice(count(), 1_000)]

    offsets = [rule.offset(id_) for id_ in ids]

    assert offsets == [FiringRule(Misfire.SKIP, jitter_seconds=600).offset(id_) for id_ in ids]
    assert all(NONE <= offset < timedelta(seconds=600) for offset in offsets)
    minutes = [offset // timedelta(minutes=1) for offset in offsets]
    assert all(50 <= minutes.count(minute) <= 150 for minute in range(10))


def test_without_jitter_nothing_is_moved() -> None:
    assert FiringRule().offset("sch_1") == NONE


def test_a_rule_is_what_the_trigger_says() -> None:
    trigger = ScheduleTrigger.model_validate(
        {"target": {"type": "day", "id": "x"}, "misfire": "fire_all", "misfire_limit": 3, "jitter_seconds": 9}
    )

    assert FiringRule.of(trigger) == FiringRule(Misfire.FIRE_ALL, 3, 9)


def test_a_moment_of_a_schedule_has_one_id() -> None:
    assert fire_id("sch_1", NOON) == fire_id("sch_1", NOON)
    assert len({fire_id("sch_1", NOON), fire_id("sch_2", NOON), fire_id("sch_1", SIX)}) == 3
