"""Schedules fire once for each moment, however many schedulers there are and however long they slept."""

import asyncio
from datetime import datetime, timedelta

import pytest
from nats.aio.client import Client

from contracts.agents import AgentSpec, DailySchedule, IntervalSchedule, Scope
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


def ruled(**rule: object) -> AgentSpec:
    """Return the Agent with a rule of its own for firing."""
    assert PULSE.schedule_trigger is not None
    return a_spec("pulse", schedule_trigger=PULSE.schedule_trigger.model_dump() | rule)


class Bench:
    """A scheduler's timers with a clock that a test sets."""

    def __init__(self, mongo: Mongo, publisher: Publisher, agent: AgentSpec = PULSE) -> None:
        self.now = NOW + MINUTE
        self.configuration = Configuration()
        self.configuration.replace_agents([a_version(agent)])
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


@pytest.mark.parametrize("replicas", [2, 3])
async def test_however_many_lead_at_once_they_fire_one_event(mongo: Mongo, replicas: int) -> None:
    benches = [Bench(mongo, Publisher()) for _ in range(replicas)]
    await join(benches[0], ADA)
    await benches[0].tick(NOW + MINUTE)

    await asyncio.gather(*(bench.tick(NOW + 15 * MINUTE + MINUTE) for bench in benches))

    assert await benches[0].due_moments() == [NOW + 15 * MINUTE]


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


@pytest.mark.parametrize(
    ("rule", "minutes", "last"),
    [
        ({"misfire": "skip"}, [], None),
        ({"misfire": "fire_once"}, [90], 90),
        ({"misfire": "fire_all"}, [15, 30, 45, 60, 75, 90], 90),
        ({"misfire": "fire_all", "misfire_limit": 2}, [75, 90], 90),
    ],
)
async def test_what_was_slept_through_is_fired_as_the_trigger_says_and_never_again(
    mongo: Mongo, rule: dict[str, object], minutes: list[int], last: int | None
) -> None:
    bench = Bench(mongo, Publisher(), ruled(**rule))
    await join(bench, ADA)
    await bench.tick(NOW + MINUTE)

    await bench.tick(NOW + 100 * MINUTE)
    await bench.tick(NOW + 101 * MINUTE)

    assert await bench.due_moments() == [NOW + minute * MINUTE for minute in minutes]
    (schedule,) = (await bench.schedules.all()).values()
    assert (schedule.since, schedule.next_due_at) == (NOW + 90 * MINUTE, NOW + 105 * MINUTE)
    assert schedule.fired_for == (None if last is None else NOW + last * MINUTE)


async def test_jitter_has_members_fire_at_moments_of_their_own_for_the_moment_of_the_schedule(mongo: Mongo) -> None:
    bench = Bench(mongo, Publisher(), ruled(jitter_seconds=600))
    await join(bench, *(Member("acme", "apollo", f"user-{number}") for number in range(20)))
    await bench.tick(NOW + MINUTE)

    counts = []
    for minute in (15, 20, 25):
        await bench.tick(NOW + minute * MINUTE)
        counts.append(len(await bench.fires()))

    assert counts[0] < counts[1] < counts[2] == 20
    assert set(await bench.due_moments()) == {NOW + 15 * MINUTE}


@pytest.mark.parametrize("misfire", ["fire_once", "fire_all"])
async def test_two_schedulers_and_one_that_dies_before_it_moves_on_fire_each_moment_once(
    mongo: Mongo, misfire: str
) -> None:
    agent = ruled(misfire=misfire)
    one, other = Bench(mongo, Publisher(), agent), Bench(mongo, Publisher(), agent)
    await join(one, ADA, Member("acme", "apollo", "bob"))
    await one.tick(NOW + MINUTE)
    before = list((await one.schedules.all()).values())

    # One accepts and dies before it moves on; the other finds everything as it was, when more is due.
    await one.tick(NOW + 15 * MINUTE)
    await one.schedules.put(before, [])
    await asyncio.gather(*(bench.tick(NOW + 30 * MINUTE) for bench in (other, one)))
    await other.tick(NOW + 31 * MINUTE)

    fires = [(event.userid, event.data.due_at) for event in await one.fires()]
    assert sorted(fires) == sorted((user, NOW + minute * MINUTE) for user in ("ada", "bob") for minute in (15, 30))
