"""Messages are counted once each, and every full row is told once: by whichever gate, after whatever crash."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.message_counts import MessagesCounted
from contracts.registry import parse_json
from services.gating.gate import Gate
from services.scheduler.leader import Leader
from services.scheduler.upkeep import Upkeep
from shared.domain.configuration import Configuration
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.idleness import IdlenessStore
from shared.store.leases import LeaseStore
from shared.store.members import MemberStore
from shared.store.message_counts import MessageCountStore
from shared.store.mongo import Mongo
from tests.integration.services.test_gate import a_gate, an_arrival, decisions_of, runs_of
from tests.unit.shared.given import NOW, a_spec, a_version, an_event


def summary(count: int, per: str = "user") -> AgentSpec:
    target = {"type": "chat", "id": "{userid}"}
    return a_spec("summary", after_messages={"count": count, "per": per, "target": target})


def said(number: int, session: str = "one", **attributes: str) -> Event:
    place = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"} | attributes
    return an_event("chat.turn_completed", id=f"turn-{number}", data={"session_id": session}, **place)


def gate_of(mongo: Mongo, agent: AgentSpec) -> Gate:
    return a_gate(mongo, Publisher(), agents=(agent,))


async def tell(gate: Gate, *events: Event, is_first: bool = True) -> None:
    await gate.consider([an_arrival(event, is_first=is_first) for event in events])


async def rows(mongo: Mongo) -> list[MessagesCounted]:
    stored = await EventStore(mongo.database).recent({"type": "messages.counted"}, 100)
    events = [parse_json(each["json"].encode()) for each in stored]
    found = [event for event in events if isinstance(event, MessagesCounted)]
    return sorted(found, key=lambda event: (event.data.session_id or "", event.data.total))


async def explanations(mongo: Mongo, *events: Event) -> list[str]:
    return [(await decisions_of(mongo, event))[0]["explanation"] for event in events]


async def test_the_last_of_a_row_is_told_and_starts_a_run_and_the_others_say_which_one_they_are(mongo: Mongo) -> None:
    gate, turns = gate_of(mongo, summary(3)), [said(n) for n in range(1, 6)]

    await tell(gate, turns[0])
    await tell(gate, *turns[1:])

    (row,) = await rows(mongo)
    first, _, third, fourth, _ = await explanations(mongo, *turns)
    assert first == "summary counts messages: this is 1 of 3."
    assert third == f"summary counts messages: this is 3 of 3, as the event {row.key} tells."
    assert fourth == "summary counts messages: this is 1 of 3."
    assert (row.data.total, row.data.last_event, row.userid) == (3, "turn-3", "ada")
    await gate.consider([an_arrival(row, is_accepted=True)])
    assert [run["event_key"] for run in await runs_of(mongo)] == [row.key]


async def test_gates_that_count_at_once_and_redeliveries_count_each_once(mongo: Mongo) -> None:
    gates, turns = [gate_of(mongo, summary(7)) for _ in range(2)], [said(n) for n in range(70)]

    await asyncio.gather(*(tell(gate, *turns[n : n + 14]) for n in range(0, 70, 14) for gate in gates))
    await tell(gates[0], *turns, is_first=False)

    assert [row.data.total for row in await rows(mongo)] == list(range(7, 71, 7))


async def test_a_crash_after_counting_neither_counts_twice_nor_loses_a_row(mongo: Mongo) -> None:
    gate, turns = gate_of(mongo, summary(2)), [said(n) for n in range(1, 6)]
    await tell(gate, *turns[:4])
    # As a gate leaves it that dies when it has counted, and neither accepted nor recorded anything.
    await mongo.database["events"].delete_many({"type": "messages.counted"})
    await mongo.database["events"].update_many({}, {"$set": {"gated": False}, "$unset": {"decisions": ""}})

    await tell(gate, *turns[:4], is_first=False)
    await tell(gate, turns[4])

    assert [(row.data.total, row.data.last_event) for row in await rows(mongo)] == [(2, "turn-2"), (4, "turn-4")]
    assert await explanations(mongo, turns[4]) == ["summary counts messages: this is 1 of 2."]


async def test_sessions_users_projects_and_organisations_are_counted_apart(mongo: Mongo) -> None:
    gate = gate_of(mongo, summary(2, "session"))
    others = {"userid": "bob"}, {"projectid": "gemini"}, {"organisationid": "other"}

    await tell(gate, said(1), said(2, "two"), *(said(n, **other) for n, other in enumerate(others, 3)))
    assert await rows(mongo) == []
    await tell(gate, said(7, "two"), said(8, userid="bob"))

    assert {(row.userid, row.data.session_id) for row in await rows(mongo)} == {("ada", "two"), ("bob", "one")}


async def test_another_length_begins_a_row_and_tells_none_again(mongo: Mongo) -> None:
    await tell(gate_of(mongo, summary(5)), *(said(n) for n in range(4)))

    await tell(gate_of(mongo, summary(2)), said(10))
    assert await explanations(mongo, said(10)) == ["summary counts messages: this is 1 of 2."]
    await tell(gate_of(mongo, summary(2)), said(11))

    assert [row.data.total for row in await rows(mongo)] == [6]


async def test_what_nothing_counts_any_more_and_what_is_old_is_forgotten(mongo: Mongo) -> None:
    await tell(gate_of(mongo, summary(5)), said(1), said(2, userid="bob"))
    configuration, leader = Configuration(), Leader(LeaseStore(mongo.database), "one", 3)
    database = mongo.database
    stores = IdlenessStore(database), MessageCountStore(database), MemberStore(database)
    upkeep = Upkeep(*stores, configuration, leader, lambda: NOW, timedelta(days=7))
    configuration.replace_agents([a_version(summary(5))])

    await upkeep.walk(NOW + timedelta(days=6))
    assert await database["message_counts"].count_documents({}) == 2
    await tell(replace(gate_of(mongo, summary(5)), clock=lambda: NOW + timedelta(days=6)), said(3, userid="bob"))
    await upkeep.walk(NOW + timedelta(days=8))
    assert await database["message_counts"].distinct("user") == ["bob"]
    configuration.replace_agents([])
    await upkeep.walk(NOW + timedelta(days=8))
    assert await database["message_counts"].count_documents({}) == 0
