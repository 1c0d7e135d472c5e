"""Schedules in force."""

from dataclasses import replace
from datetime import timedelta

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Misfire
from shared.domain.firing import FiringRule
from shared.store.members import Member
from shared.store.mongo import Mongo
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.unit.shared.given import NOW

HOUR = timedelta(hours=1)
ADA = Member("acme", "apollo", "ada", "Europe/Berlin")
PULSE = ScheduleInForce("pulse", ADA, IntervalSchedule(every_seconds=900), NOW - HOUR, NOW)
REVIEW = replace(PULSE, agent_key="review", schedule=DailySchedule(daily_hour=7), next_due_at=NOW + HOUR)
NIGHTLY = replace(
    PULSE,
    agent_key="nightly",
    schedule=CronSchedule(cron="30 2 * * *", timezone="Europe/Berlin"),
    rule=FiringRule(Misfire.FIRE_ALL, 3, 60),
    next_due_at=NOW + HOUR,
    fired_for=NOW - HOUR,
)
MOVED = replace(PULSE, since=NOW, next_due_at=NOW + HOUR, fired_for=NOW)


async def test_schedules_come_back_as_they_were_put(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)

    await schedules.put([PULSE, REVIEW, NIGHTLY], [])

    assert await schedules.all() == {each.id: each for each in (PULSE, REVIEW, NIGHTLY)}


async def test_a_schedule_of_the_time_before_there_were_rules_has_the_default(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE], [])
    unknown = {"misfire": "", "misfire_limit": "", "jitter_seconds": "", "fired_for": ""}
    await mongo.database["schedules"].update_one({"_id": PULSE.id}, {"$unset": unknown})

    assert await schedules.all() == {PULSE.id: PULSE}


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

    await schedules.fired([(PULSE, MOVED)])
    await schedules.fired([])

    assert await schedules.all() == {PULSE.id: MOVED}


async def test_a_schedule_that_was_changed_while_it_fired_stays_as_changed(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE], [])
    changed = replace(PULSE, schedule=DailySchedule(daily_hour=3), since=NOW, next_due_at=NOW + 9 * HOUR)
    await schedules.put([changed], [])

    await schedules.fired([(PULSE, MOVED)])

    assert await schedules.all() == {PULSE.id: changed}


async def test_firing_the_same_moment_twice_moves_on_once(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    await schedules.put([PULSE], [])

    await schedules.fired([(PULSE, MOVED)])
    await schedules.fired([(PULSE, replace(MOVED, next_due_at=NOW + 5 * HOUR))])

    assert (await schedules.all())[PULSE.id].next_due_at == NOW + HOUR


async def test_pages_follow_each_other_by_user_and_id_without_a_gap(mongo: Mongo) -> None:
    schedules = ScheduleStore(mongo.database)
    users = ("ada", "bob", "cyd")
    everything = [replace(each, member=replace(ADA, user=user)) for each in (PULSE, REVIEW, NIGHTLY) for user in users]
    await schedules.put([*everything, replace(PULSE, member=replace(ADA, organisation="other"))], [])

    pages, after = [], None
    while page := await schedules.page({"organisation": "acme"}, after, 2):
        pages.append(page)
        after = (page[-1].member.user, page[-1].id)

    expected = sorted(everything, key=lambda each: (each.member.user, each.id))
    assert [each for page in pages for each in page] == expected
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
