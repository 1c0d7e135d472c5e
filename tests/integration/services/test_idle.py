"""Who is idle is told once for each quiet time: however events arrive, and however many gates and schedulers there are."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.idleness import UserIdleDetected
from contracts.registry import parse_json
from services.scheduler.idle_sweep import IdleSweep
from services.scheduler.leader import Leader
from services.scheduler.upkeep import Upkeep
from shared.domain.configuration import Configuration
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.idleness import IdlenessStore
from shared.store.leases import LeaseStore
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.message_counts import MessageCountStore
from shared.store.mongo import Mongo
from tests.integration.services.test_gate import a_gate, an_arrival, runs_of
from tests.support.plans import is_indexed, plan_of
from tests.unit.shared.given import NOW, a_spec, a_version, an_event

MINUTE = timedelta(minutes=1)
TARGET = {"type": "user", "id": "{userid}"}


def grader(**trigger: object) -> AgentSpec:
    idle = {"idle_threshold_minutes": 30, "idle_cooldown_minutes": 60, "target": TARGET}
    return a_spec("grader", on_idle=idle | trigger)


def act(id: str, at: datetime = NOW, user: str = "ada", project: str = "apollo", **attributes: str) -> Event:
    place: dict[str, Any] = {"organisationid": "acme", "projectid": project, "userid": user}
    return an_event("checkin.submitted", id=id, time=at.isoformat(), **(place | attributes))


class Bench:
    """Gates and schedulers with a clock that a test sets."""

    def __init__(self, mongo: Mongo) -> None:
        self.mongo = mongo
        self.now = NOW
        self.publisher = Publisher()
        self.configuration = Configuration()
        self.events = EventStore(mongo.database)
        self.members = MemberStore(mongo.database)
        self.notes = IdlenessStore(mongo.database)
        self.leader = Leader(LeaseStore(mongo.database), "one", 3)
        self.agree(grader())

    def agree(self, *agents: AgentSpec) -> None:
        self.agents = agents
        self.configuration.replace_agents([a_version(agent) for agent in agents])

    def time(self) -> datetime:
        return self.now

    async def publish(self, *events: Event, is_first: bool = True) -> None:
        self.now = max([self.now, *(event.time for event in events if event.time is not None)])
        gate = replace(a_gate(self.mongo, self.publisher, agents=self.agents), clock=self.time)
        await gate.consider([an_arrival(event, is_first=is_first) for event in events])

    def sweep(self) -> IdleSweep:
        stores = self.notes, self.members, self.events
        return IdleSweep(*stores, self.publisher, self.configuration, self.leader, self.time)

    async def look(self, at: datetime) -> None:
        """Let it be this time, and look who is idle."""
        self.now = at
        await self.sweep().sweep()

    async def tidy(self, at: datetime, keep_for: timedelta = timedelta(days=7)) -> None:
        counts = MessageCountStore(self.mongo.database)
        upkeep = Upkeep(self.notes, counts, self.members, self.configuration, self.leader, self.time, keep_for)
        await upkeep.walk(at)

    async def told(self) -> list[UserIdleDetected]:
        stored = await self.events.recent({"type": "user.idle_detected"}, 10_000)
        events = [parse_json(each["json"].encode()) for each in stored]
        found = [event for event in events if isinstance(event, UserIdleDetected)]
        return sorted(found, key=lambda event: event.data.detected_at)

    async def remembered(self) -> int:
        return await self.mongo.database["idleness"].count_documents({})


@pytest.fixture
def bench(mongo: Mongo) -> Bench:
    return Bench(mongo)


async def test_who_has_been_idle_long_enough_is_told_once_and_a_run_starts(bench: Bench) -> None:
    await bench.publish(act("a"))

    await bench.look(NOW + 29 * MINUTE)
    assert await bench.told() == []
    await bench.look(NOW + 31 * MINUTE)
    await bench.look(NOW + 500 * MINUTE)

    (event,) = await bench.told()
    assert (event.organisationid, event.projectid, event.userid) == ("acme", "apollo", "ada")
    assert (event.data.active_at, event.data.idle_seconds) == (NOW, 31 * 60)
    await a_gate(bench.mongo, bench.publisher, agents=bench.agents).consider([an_arrival(event, is_accepted=True)])
    (run,) = await runs_of(bench.mongo)
    assert (run["agent_key"], run["target"], run["event_key"]) == ("grader", {"type": "user", "id": "ada"}, event.key)


async def test_late_and_repeated_events_begin_no_other_quiet_time(bench: Bench) -> None:
    await bench.publish(act("a"))
    await bench.look(NOW + 31 * MINUTE)

    await bench.publish(act("a"), is_first=False)
    await bench.publish(act("late", NOW - 20 * MINUTE), act("later", NOW + 10 * MINUTE))
    await bench.look(NOW + 900 * MINUTE)

    assert len(await bench.told()) == 1


async def test_gates_that_note_the_same_at_once_note_it_once(bench: Bench) -> None:
    acts = [act(str(number), NOW - number * MINUTE, user=f"user-{number % 5}") for number in range(20)]

    await asyncio.gather(*(bench.publish(*some) for some in (acts, acts[::-1], acts)))

    noted = await bench.mongo.database["idleness"].find({}).sort("user", 1).to_list(None)
    assert [(note["user"], note["active_at"]) for note in noted] == [(f"user-{n}", NOW - n * MINUTE) for n in range(5)]


async def test_the_cooldown_counts_from_the_last_fire(bench: Bench) -> None:
    await bench.publish(act("a"))
    await bench.look(NOW + 31 * MINUTE)
    await bench.publish(act("b", NOW + 40 * MINUTE))

    await bench.look(NOW + 90 * MINUTE)
    assert len(await bench.told()) == 1
    await bench.look(NOW + 91 * MINUTE)

    assert [event.data.active_at for event in await bench.told()] == [NOW, NOW + 40 * MINUTE]


async def test_an_event_without_a_time_counts_from_its_acceptance_however_often_it_comes(bench: Bench) -> None:
    timeless = an_event("checkin.submitted", id="a", time=None, organisationid="acme", projectid="apollo", userid="ada")
    await bench.publish(timeless)
    await bench.mongo.database["events"].update_one({}, {"$set": {"accepted_at": NOW - 5 * MINUTE, "gated": False}})
    await bench.mongo.database["idleness"].delete_many({})

    await bench.publish(timeless, is_first=False)

    (note,) = await bench.mongo.database["idleness"].find({}).to_list(None)
    assert note["active_at"] == NOW - 5 * MINUTE


async def test_two_schedulers_at_once_and_one_that_died_after_accepting_tell_one_event(bench: Bench) -> None:
    await bench.publish(*(act(str(number), user=f"user-{number}") for number in range(20)))
    bench.now = NOW + 31 * MINUTE

    await asyncio.gather(*(bench.sweep().sweep() for _ in range(2)))
    # As a leader leaves it that dies between accepting and noting it; meanwhile the user is back.
    bring_back = {"$set": {"firing": NOW, "due_at": NOW}}
    await bench.mongo.database["idleness"].update_many({}, bring_back)
    await bench.publish(act("back", NOW + 32 * MINUTE, user="user-3"))
    await bench.look(NOW + 33 * MINUTE)

    assert sorted(event.userid or "" for event in await bench.told()) == sorted(f"user-{n}" for n in range(20))
    await bench.look(NOW + 200 * MINUTE)
    assert [event.userid for event in await bench.told()].count("user-3") == 2


async def test_another_threshold_is_obeyed_for_those_who_are_waited_for(bench: Bench) -> None:
    await bench.publish(act("a"))
    bench.agree(grader(idle_threshold_minutes=5))
    await bench.tidy(NOW + 6 * MINUTE)
    await bench.look(NOW + 6 * MINUTE)
    assert len(await bench.told()) == 1

    await bench.publish(act("b", NOW + 100 * MINUTE))
    bench.agree(grader(idle_threshold_minutes=300))
    await bench.look(NOW + 399 * MINUTE)
    assert len(await bench.told()) == 1
    await bench.look(NOW + 400 * MINUTE)
    assert len(await bench.told()) == 2


async def test_a_shorter_threshold_holds_from_the_next_activity_on_whatever_was_noted_before(bench: Bench) -> None:
    bench.agree(grader(idle_threshold_minutes=300))
    await bench.publish(act("a"))
    bench.agree(grader(idle_threshold_minutes=5))
    await bench.publish(act("b", NOW + MINUTE))

    await bench.look(NOW + 6 * MINUTE)

    assert [event.data.active_at for event in await bench.told()] == [NOW + MINUTE]


async def test_who_left_whose_agent_is_gone_and_who_was_told_long_ago_is_forgotten(bench: Bench) -> None:
    await bench.publish(act("a"), act("b", user="bob"), act("c", user="cleo"))
    await bench.look(NOW + 31 * MINUTE)
    await bench.members.apply([MembershipChange(Member("acme", "apollo", "ada"), is_member=False, at=NOW)])

    await bench.tidy(NOW + 32 * MINUTE)
    assert await bench.remembered() == 2
    await bench.publish(act("d", NOW + 2 * MINUTE * 24 * 60, user="bob"))
    await bench.tidy(NOW + timedelta(days=8))
    assert await bench.remembered() == 1
    bench.agree(a_spec("other"))
    await bench.tidy(NOW + timedelta(days=8))
    assert await bench.remembered() == 0


async def test_of_a_thousand_users_the_right_ones_are_told_at_the_right_moments_once(bench: Bench) -> None:
    bench.agree(grader(user_filter="member.project != 'gemini'"))
    users = range(1_000)
    acts = [
        act(str(n), NOW - (n % 60) * MINUTE, user=f"u{n}", project="gemini" if n % 10 == 9 else "apollo") for n in users
    ]
    await bench.publish(*reversed(acts))
    left = [Member("acme", "apollo", f"u{n}") for n in users if n % 10 == 8]
    await bench.members.apply([MembershipChange(member, is_member=False, at=NOW) for member in left])

    expected = {f"u{n}" for n in users if n % 10 < 8}
    for minute in (0, 15, 31, 45):
        await bench.look(NOW + minute * MINUTE)
        due = {f"u{n}" for n in users if n % 60 + minute >= 30}
        assert {event.userid for event in await bench.told()} == expected & due

    assert len(await bench.told()) == len(expected)
    plans = await plan_of(bench.mongo, lambda _: bench.notes.due(NOW, 10))
    assert len(plans) == 2
    assert all(map(is_indexed, plans))
