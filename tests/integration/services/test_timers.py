"""Schedules fire once for each moment, however many schedulers there are and however long they slept."""

import asyncio
from datetime import datetime, timedelta

import pytest
from nats.aio.client import Client

from contracts.agents import DailySchedule, IntervalSchedule, Scope
from contracts.registry import parse_json
from contracts.schedules import ScheduleFired
from contracts.streams import EVENTS
from services.scheduler.leader import Leader
from services.scheduler.timers import Timers
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.event import ACCEPTED_HEADER
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.leases import LeaseStore
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.mongo import Mongo
from shared.store.schedules import ScheduleStore
from tests.integration.messaging.looking import messages_of
from tests.unit.shared.given import NOW, a_spec, a_version

MINUTE = timedelta(minutes=1)
ADA = Member("acme", "apollo", "ada", "Europe/Berlin")
PULSE = a_spec(
    "pulse",
    schedule_trigger={"schedule": IntervalSchedule(every_seconds=900), "target": {"type": "day", "id": "{data.date}"}},
)


class Bench:
    """A scheduler's timers with a clock that a test sets."""

    def __init__(self, mongo: Mongo, publisher: Publisher) -> None:
        self.now = NOW + MINUTE
        self.configuration = Configuration()
        self.configuration.replace_agents([a_version(PULSE)])
        self.events = EventStore(mongo.database)
        self.members = MemberStore(mongo.database)
        self.schedules = ScheduleStore(mongo.database)
        self.timers = Timers(
            schedules=self.schedules,
            members=self.members,
            events=self.events,
            publisher=publisher,
            configuration=self.configuration,
            leader=Leader(LeaseStore(mongo.database), "one", 3),
            clock=self.time,
        )

    def time(self) -> datetime:
        return self.now

    async def tick(self, at: datetime) -> None:
        self.now = at
        await self.timers.tick()

    async def fires(self) -> list[ScheduleFired]:
        """Return what was fired, in the order of the moments."""
        stored = await self.events.recent({}, 100)
        events = [parse_json(each["json"].encode()) for each in stored]
        return sorted((each for each in events if isinstance(each, ScheduleFired)), key=lambda each: each.data.due_at)

    async def due_moments(self) -> list[datetime]:
        return [event.data.due_at for event in await self.fires()]


@pytest.fixture
def bench(mongo: Mongo) -> Bench:
    return Bench(mongo, Publisher())


async def join(bench: Bench, *members: Member) -> None:
    await bench.members.apply([MembershipChange(member, is_member=True, at=NOW) for member in members])


async def test_a_moment_that_comes_due_is_an_event_for_each_member(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    bench = Bench(mongo, publisher)
    await join(bench, ADA, Member("acme", "apollo", "bob"))

    await bench.tick(NOW + MINUTE)
    nothing_yet = await bench.fires()
    await bench.tick(NOW + 15 * MINUTE)

    assert nothing_yet == []
    assert {(event.userid, event.data.due_at) for event in await bench.fires()} == {
        ("ada", NOW + 15 * MINUTE),
        ("bob", NOW + 15 * MINUTE),
    }
    told = await messages_of(client, EVENTS.name, 2)
    assert {headers[ACCEPTED_HEADER] for _, _, headers in told} == {"once"}


async def test_a_moment_fires_once_however_often_it_is_looked_at(bench: Bench) -> None:
    await join(bench, ADA)
    await bench.tick(NOW + MINUTE)

    for second in range(5):
        await bench.tick(NOW + 15 * MINUTE + timedelta(seconds=second))

    assert await bench.due_moments() == [NOW + 15 * MINUTE]


async def test_two_that_lead_at_once_fire_one_event(mongo: Mongo) -> None:
    one, other = Bench(mongo, Publisher()), Bench(mongo, Publisher())
    await join(one, ADA)
    await one.tick(NOW + MINUTE)

    await asyncio.gather(*(bench.tick(NOW + 15 * MINUTE + MINUTE) for bench in (one, other)))

    assert await one.due_moments() == [NOW + 15 * MINUTE]


async def test_a_crash_between_the_event_and_its_note_fires_the_same_event(mongo: Mongo, bench: Bench) -> None:
    await join(bench, ADA)
    await bench.tick(NOW + MINUTE)
    before = (await bench.schedules.all()).values()
    await bench.tick(NOW + 15 * MINUTE)

    await bench.schedules.put(list(before), [])
    await bench.tick(NOW + 16 * MINUTE)

    assert await bench.due_moments() == [NOW + 15 * MINUTE]


async def test_moments_that_were_slept_through_are_made_up_for_once(bench: Bench) -> None:
    await join(bench, ADA)
    await bench.tick(NOW + MINUTE)

    await bench.tick(NOW + 100 * MINUTE)
    await bench.tick(NOW + 105 * MINUTE)

    assert await bench.due_moments() == [NOW + 90 * MINUTE, NOW + 105 * MINUTE]


async def test_a_changed_schedule_is_planned_soon_and_never_fires_for_the_past(bench: Bench) -> None:
    await join(bench, ADA)
    await bench.tick(NOW + MINUTE)
    daily = Binding(
        "acme", ScopeRef(Scope.USER, "ada"), "pulse", schedule=DailySchedule(daily_hour=8, timezone="Europe/Berlin")
    )
    bench.configuration.put_binding(daily)

    bench.timers.plan_soon()
    await bench.tick(NOW + 2 * MINUTE)
    await bench.tick(NOW + 60 * MINUTE)
    (schedule,) = (await bench.schedules.all()).values()

    assert await bench.due_moments() == []
    assert schedule.next_due_at == datetime.fromisoformat("2026-11-21T07:00:00+00:00")


async def test_who_left_is_served_no_more(bench: Bench) -> None:
    await join(bench, ADA)
    await bench.tick(NOW + MINUTE)
    await bench.members.apply([MembershipChange(ADA, is_member=False, at=NOW + 2 * MINUTE)])

    await bench.tick(NOW + 14 * MINUTE)
    await bench.tick(NOW + 15 * MINUTE)

    assert await bench.fires() == []
    assert await bench.schedules.all() == {}
