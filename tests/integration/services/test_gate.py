"""The gate at work: each event is decided once, whatever is delivered, in whatever order and however often."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
from nats.aio.client import Client

from contracts.agents import AgentSpec, Scope
from contracts.envelope import Event
from contracts.lanes import Queue
from contracts.streams import RUN_EVENTS, RUNS, runner_consumer
from contracts.subjects import gated_subject, last_id
from services.gating.app import make_behaviour, make_continuing
from services.gating.arrival import Arrival
from services.gating.gate import Gate
from services.gating.gathering import Gathering
from services.gating.starting import Starts
from shared.admission import Admission
from shared.carried import carried_by
from shared.clock import Clock
from shared.delayed import Delayed
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.slot import EXPRESS_RUNS, QueueLimits
from shared.errors import Retryable
from shared.messaging.delivery import Undeliverable
from shared.messaging.publisher import Publisher
from shared.store.cooldowns import CooldownStore
from shared.store.events import EventStore
from shared.store.members import Member, MemberStore
from shared.store.mongo import Mongo
from shared.store.retention import Retention
from shared.store.runs import RunStore
from shared.store.slots import SlotStore
from shared.testing.dead_letters import KeptLetters
from tests.integration.messaging.looking import count_behind, messages_of, take
from tests.unit.shared.given import NOW, a_version, an_event, triggered

Record = dict[str, Any]

AGENTS = (triggered("noter"), triggered("reader"))
LIMITS = QueueLimits(organisation=512)


async def unnoted(keys: Sequence[str]) -> None:
    """Leave events due for the sweep."""


def a_gate(
    mongo: Mongo,
    publisher: Publisher,
    *bindings: Binding,
    agents: tuple[AgentSpec, ...] = AGENTS,
    limits: QueueLimits = LIMITS,
    noting: Callable[[Sequence[str]], Awaitable[None]] = unnoted,
    clock: Clock = lambda: NOW,
) -> Gate:
    configuration = Configuration()
    configuration.replace_agents([a_version(agent) for agent in agents])
    configuration.replace_bindings(bindings)
    database = mongo.database
    runs = RunStore(database)
    events = EventStore(database)
    admission = Admission(SlotStore(database), runs, publisher, limits, lambda: NOW)
    return Gate(
        configuration=configuration,
        events=events,
        runs=runs,
        members=MemberStore(database),
        behaviour=make_behaviour(mongo, EventStore(database), publisher),
        continuing=make_continuing(mongo, runs, admission, timedelta(minutes=15), clock),
        admission=admission,
        starts=Starts(Gathering(runs, events, publisher, configuration, limits), CooldownStore(database)),
        publisher=publisher,
        dead_letters=KeptLetters(),
        clock=clock,
        decided=Delayed("decided", noting),
    )


def kept_by(gate: Gate) -> list[Undeliverable]:
    assert isinstance(gate.dead_letters, KeptLetters)
    return gate.dead_letters.kept


def an_arrival(
    event: Event, *, is_accepted: bool = False, is_first: bool = True, reply_to: str | None = None
) -> Arrival:
    return Arrival(event, event.to_json(), is_accepted, is_first, reply_to)


def checkin(id: str, **changes: Any) -> Event:
    return an_event(id=id, organisationid="acme", projectid="apollo", userid="ada", **changes)


def disabled(agent_key: str) -> Binding:
    return Binding("acme", ScopeRef(Scope.USER, "ada"), agent_key, enabled=False)


async def decisions_of(mongo: Mongo, event: Event) -> list[Record]:
    return (await EventStore(mongo.database).decisions([event.key]))[event.key]


async def runs_of(mongo: Mongo) -> list[Record]:
    return await mongo.database["runs"].find({}).sort("_id").to_list(None)


async def test_an_event_is_stored_decided_and_its_runs_are_queued_dispatched_and_told(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    event = checkin("a")

    await a_gate(mongo, publisher, disabled("reader")).consider([an_arrival(event)])

    started, skipped = await decisions_of(mongo, event)
    (run,) = await runs_of(mongo)
    assert (started["outcome"], started["run_id"], skipped["reason"]) == ("run", run["_id"], "disabled")
    assert (run["status"], run["event_key"], run["agent_key"], run["queued_at"]) == ("queued", event.key, "noter", NOW)
    ((subject, _, _),) = await messages_of(client, RUN_EVENTS.name, 1)
    assert last_id(subject) == run["_id"]
    assert await count_behind(client, RUNS.name, "run.low.last") == 1


async def test_a_dispatch_carries_the_run_and_its_event_as_they_are_stored(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    events = [checkin(name) for name in "abcdef"]

    await a_gate(mongo, publisher).consider([an_arrival(event) for event in events])

    first = await take(client, EXPRESS_RUNS, runner_consumer(Queue.EXPRESS_MEDIUM))
    others = await take(client, len(events) * len(AGENTS) - EXPRESS_RUNS, runner_consumer(Queue.MEDIUM))
    carried = carried_by(message.data for message in [*first, *others])
    runs = await runs_of(mongo)
    stored = await EventStore(mongo.database).load([event.key for event in events])
    assert [carried[run["_id"]].run for run in runs] == runs
    for run in runs:
        event, kept = stored[run["event_key"]], carried[run["_id"]].event
        assert (kept["_id"], kept["json"], kept["gated"]) == (event["_id"], event["json"], True)
        assert kept["decisions"] == [{"run_id": each["run_id"]} for each in event["decisions"]]


async def test_an_event_that_is_delivered_again_changes_nothing_and_is_answered_the_same(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    answers = await client.subscribe(gated_subject("gateway-1"))
    event = checkin("a")
    first = a_gate(mongo, publisher)
    later = a_gate(mongo, publisher, disabled("noter"), disabled("reader"))

    await first.consider([an_arrival(event, reply_to="gateway-1")])
    before = await runs_of(mongo)
    await later.consider([an_arrival(event, is_first=False, reply_to="gateway-1")])
    await later.consider([an_arrival(event, is_accepted=True, reply_to="gateway-1")])

    told = [orjson.loads((await answers.next_msg(timeout=5)).data) for _ in range(3)]
    assert told[0] == told[1] == told[2] == {event.key: await decisions_of(mongo, event)}
    named = {decision["run_id"] for decision in told[0][event.key]}
    assert {run["_id"] for run in before} == named == {run["_id"] for run in await runs_of(mongo)}


async def test_an_event_from_a_backend_that_starts_nothing_is_done_with_in_one_write(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    answers = await client.subscribe(gated_subject("gateway-1"))
    event = checkin("a")
    gate = a_gate(mongo, publisher, disabled("noter"), disabled("reader"))

    await gate.consider([an_arrival(event, reply_to="gateway-1")])
    await gate.consider([an_arrival(event, is_first=False, reply_to="gateway-1")])

    stored = (await EventStore(mongo.database).load([event.key]))[event.key]
    told = [orjson.loads((await answers.next_msg(timeout=5)).data) for _ in range(2)]
    assert [decision["reason"] for decision in stored["decisions"]] == ["disabled", "disabled"]
    assert told == [{event.key: stored["decisions"]}] * 2
    assert (stored["gated"], stored["gated_at"], stored.get("sweep_at")) == (True, stored["accepted_at"], None)


async def test_each_gateway_is_told_about_its_own_events_together(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    one, other = [await client.subscribe(gated_subject(name)) for name in ("gateway-1", "gateway-2")]
    a, b, c = (checkin(name) for name in "abc")

    await a_gate(mongo, publisher).consider(
        [an_arrival(a, reply_to="gateway-1"), an_arrival(b, reply_to="gateway-2"), an_arrival(c, reply_to="gateway-1")]
    )

    assert orjson.loads((await one.next_msg(timeout=5)).data).keys() == {a.key, c.key}
    assert orjson.loads((await other.next_msg(timeout=5)).data).keys() == {b.key}


async def test_gates_that_decide_at_once_leave_one_decision_that_names_its_run(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    events = [checkin(str(number)) for number in range(20)]
    arrivals = [an_arrival(event, is_accepted=True) for event in events]
    gates = [a_gate(mongo, publisher, *bindings) for bindings in [(), (disabled("noter"),), (disabled("reader"),)]]

    await asyncio.gather(*(gate.consider(arrivals) for gate in gates))

    runs = {run["_id"] for run in await runs_of(mongo)}
    for event in events:
        decisions = await decisions_of(mongo, event)
        assert [decision["agent_key"] for decision in decisions] == ["noter", "reader"]
        assert {decision["run_id"] for decision in decisions if decision["outcome"] == "run"} <= runs


async def test_an_event_that_only_says_it_is_accepted_is_stored_all_the_same(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    event = checkin("a")

    await a_gate(mongo, publisher).consider([an_arrival(event, is_accepted=True)])

    assert await EventStore(mongo.database).known([event.key]) == {event.key}
    assert len(await decisions_of(mongo, event)) == 2


async def test_another_event_under_an_id_that_is_taken_is_kept_as_a_dead_letter(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    gate = a_gate(mongo, publisher)
    await gate.consider([an_arrival(checkin("a"))])
    before = await runs_of(mongo)

    await gate.consider([an_arrival(checkin("a", data={"today": "Something else."})), an_arrival(checkin("b"))])

    (letter,) = kept_by(gate)
    assert orjson.loads(letter.payload)["data"]["today"] == "Something else."
    assert (letter.subject, letter.code) == ("event.checkin.submitted.acme", "event_id_reused")
    assert "The id 'a' of source" in letter.reason
    assert len(await runs_of(mongo)) == len(before) + 2


@pytest.mark.parametrize("is_first_accepted", [True, False])
async def test_of_two_events_with_one_id_in_one_batch_the_first_is_decided_and_the_other_kept(
    client: Client, mongo: Mongo, publisher: Publisher, is_first_accepted: bool
) -> None:
    first, other = checkin("a"), checkin("a", data={"today": "Something else."})
    if is_first_accepted:
        await EventStore(mongo.database).accept([an_arrival(first).accepted_event(NOW)])

    gate = a_gate(mongo, publisher)
    await gate.consider(
        [an_arrival(first, is_accepted=is_first_accepted), an_arrival(other), an_arrival(first, is_first=False)]
    )

    (letter,) = kept_by(gate)
    assert orjson.loads(letter.payload)["data"]["today"] == "Something else."
    stored = await EventStore(mongo.database).load([first.key])
    assert stored[first.key]["json"] == first.to_json().decode()
    assert len(await decisions_of(mongo, first)) == 2


@pytest.mark.parametrize("is_first_accepted", [True, False])
@pytest.mark.parametrize("is_starting_first", [True, False])
async def test_of_two_events_with_one_id_in_one_batch_each_is_decided_by_its_own_content(
    client: Client, mongo: Mongo, publisher: Publisher, is_first_accepted: bool, is_starting_first: bool
) -> None:
    starting = checkin("a")
    other = an_event(
        "ticket.scan_requested", id="a", data={"date": "2026-11-20"}, organisationid="acme", projectid="apollo"
    )
    first, second = (starting, other) if is_starting_first else (other, starting)
    if is_first_accepted:
        await EventStore(mongo.database).accept([an_arrival(first).accepted_event(NOW)])

    gate = a_gate(mongo, publisher)
    await gate.consider([an_arrival(first, is_accepted=is_first_accepted), an_arrival(second)])

    assert [letter.payload for letter in kept_by(gate)] == [second.to_json()]
    assert len(await decisions_of(mongo, first)) == len(await runs_of(mongo)) == (2 if is_starting_first else 0)


async def test_a_dead_letter_that_cannot_be_kept_has_the_batch_delivered_again(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    gate = a_gate(mongo, publisher)
    await gate.consider([an_arrival(checkin("a"))])
    assert isinstance(gate.dead_letters, KeptLetters)
    gate.dead_letters.is_away = True

    with pytest.raises(Retryable):
        await gate.consider([an_arrival(checkin("a", data={"today": "Something else."}))])


async def test_members_are_taken_from_the_events(client: Client, mongo: Mongo, publisher: Publisher) -> None:
    whose = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"}
    joined = an_event("member.joined", **whose, data={"timezone": "UTC"})

    await a_gate(mongo, publisher).consider([an_arrival(joined)])

    assert await MemberStore(mongo.database).present() == [Member("acme", "apollo", "ada")]
    assert await decisions_of(mongo, joined) == []


async def test_without_nats_everything_is_recorded_for_the_sweep(mongo: Mongo) -> None:
    event = checkin("a")

    await a_gate(mongo, Publisher()).consider([an_arrival(event, is_accepted=True, reply_to="gateway-1")])

    assert len(await decisions_of(mongo, event)) == 2
    assert [run["status"] for run in await runs_of(mongo)] == ["queued", "queued"]


async def test_once_its_runs_are_stored_a_decided_event_is_not_looked_at_again(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    events = EventStore(mongo.database)
    gate = a_gate(mongo, publisher, noting=events.settle)

    await gate.consider([an_arrival(checkin("a"))])
    await gate.decided.settled()

    assert await events.due_for_sweep(NOW + timedelta(days=1), 10) == []


async def test_a_run_that_was_deleted_with_age_does_not_come_back(mongo: Mongo, publisher: Publisher) -> None:
    event, gate = checkin("a"), a_gate(mongo, publisher)
    await gate.consider([an_arrival(event)])
    ended = {"$set": {"status": "completed", "finished_at": NOW}, "$unset": {"sweep_at": ""}}
    await mongo.database["runs"].update_many({}, ended)
    await Retention(mongo.database).delete_runs(await runs_of(mongo), NOW + timedelta(days=7))

    await gate.consider([an_arrival(event, is_first=False)])

    assert await runs_of(mongo) == []
