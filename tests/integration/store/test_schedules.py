"""Schedules in force."""

from dataclasses import replace
from datetime import timedelta

from contracts.agents import DailySchedule, IntervalSchedule
from shared.store.members import Member
from shared.store.mongo import Mongo
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.unit.shared.given import NOW

HOUR = timedelta(hours=1)
PULSE = ScheduleInForce(
    "pulse", Member("acme", "apollo", "ada", "Europe/Berlin"), IntervalSchedule(every_seconds=900), NOW - HOUR, NOW
)
REVIEW = replace(PULSE, agent_key="review", schedule=DailySchedule(daily_hour=7), next_due_at=NOW + HOUR)


async def test_schedules_come_back_as_they_were_put(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)

    await schedules.put([PULSE, REVIEW], [])

    assert await schedules.all() == {PULSE.id: PULSE, REVIEW.id: REVIEW}


async def test_a_changed_schedule_replaces_the_one_before_and_what_is_gone_goes(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE, REVIEW], [])
    changed = replace(PULSE, schedule=IntervalSchedule(every_seconds=60), since=NOW)

    await schedules.put([changed], [REVIEW.id])
    await schedules.put([], [])

    assert await schedules.all() == {PULSE.id: changed}


async def test_what_is_due_longest_comes_first_and_no_more_than_asked_for(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    of_bob = replace(PULSE, member=replace(PULSE.member, user="bob"), next_due_at=NOW - HOUR)
    await schedules.put([PULSE, REVIEW, of_bob], [])

    assert await schedules.due(NOW, 10) == [of_bob, PULSE]
    assert await schedules.due(NOW, 1) == [of_bob]
    assert await schedules.due(NOW - 2 * HOUR, 10) == []


async def test_a_fired_schedule_moves_on_to_its_next_moment(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE], [])

    await schedules.fired([(PULSE, NOW, NOW + HOUR)])
    await schedules.fired([])

    assert await schedules.all() == {PULSE.id: replace(PULSE, since=NOW, next_due_at=NOW + HOUR)}


async def test_a_schedule_that_was_changed_while_it_fired_stays_as_changed(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE], [])
    changed = replace(PULSE, schedule=DailySchedule(daily_hour=3), since=NOW, next_due_at=NOW + 9 * HOUR)
    await schedules.put([changed], [])

    await schedules.fired([(PULSE, NOW, NOW + HOUR)])

    assert await schedules.all() == {PULSE.id: changed}


async def test_firing_the_same_moment_twice_moves_on_once(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE], [])

    await schedules.fired([(PULSE, NOW, NOW + HOUR)])
    await schedules.fired([(PULSE, NOW, NOW + 5 * HOUR)])

    assert (await schedules.all())[PULSE.id].next_due_at == NOW + HOUR
