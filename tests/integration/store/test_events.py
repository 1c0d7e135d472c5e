"""Events as accepted: each once, whoever sends it again, with the decisions that were recorded first."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.event import AcceptedEvent
from shared.store.events import Acceptance, EventStore, GatedEvent
from shared.store.mongo import Mongo
from tests.integration.store.given import accepted
from tests.unit.shared.given import LATER, NOW

FIRST = [{"agent_key": "noter", "outcome": "run", "run_id": "run_1"}]
SECOND = [{"agent_key": "noter", "outcome": "skipped", "run_id": None}]
STORED, SAME, DIFFERENT = Acceptance.STORED, Acceptance.SAME, Acceptance.DIFFERENT


def other_content(id: str) -> AcceptedEvent:
    return accepted(id, data={"today": "Something else."})


async def test_an_event_is_stored_once_and_known_again_by_its_content(mongo: Mongo) -> None:
    events = EventStore(mongo.database)

    assert await events.accept([accepted("a")]) == [STORED]
    assert await events.accept([accepted("a", at=LATER + timedelta(hours=1))]) == [SAME]
    assert await events.accept([other_content("a")]) == [DIFFERENT]

    (stored,) = (await events.load([accepted("a").key])).values()
    assert (stored["json"], stored["accepted_at"]) == (accepted("a").json, LATER)


async def test_in_one_batch_each_event_is_answered_in_its_place(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted("known"), accepted("taken")])

    batch = [accepted("new"), accepted("known"), other_content("taken"), accepted("newer"), accepted("known")]

    assert await events.accept(batch) == [STORED, SAME, DIFFERENT, STORED, SAME]


async def test_an_event_that_is_twice_in_one_batch_is_stored_once(mongo: Mongo) -> None:
    events = EventStore(mongo.database)

    accepted_as = await events.accept([accepted("a"), accepted("b"), accepted("a"), other_content("b")])

    assert accepted_as == [STORED, STORED, SAME, DIFFERENT]
    assert await mongo.database["events"].count_documents({}) == 2


async def test_an_empty_batch_stores_nothing(mongo: Mongo) -> None:
    assert await EventStore(mongo.database).accept([]) == []


async def test_of_equal_events_at_once_one_is_stored_and_the_others_are_the_same(mongo: Mongo) -> None:
    events = EventStore(mongo.database)

    answers = await asyncio.gather(*(events.accept([accepted("a"), accepted(f"own-{n}")]) for n in range(8)))

    assert sorted(each[0] for each in answers) == [SAME] * 7 + [STORED]
    assert {each[1] for each in answers} == {STORED}


async def test_the_same_id_in_another_organisation_is_another_event(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted("a")])

    elsewhere = accepted("a")
    moved = elsewhere._replace(key="ev_elsewhere", organisation="other")

    assert await events.accept([moved]) == [STORED]


async def test_the_decisions_recorded_first_stand(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    key = accepted("a").key
    await events.accept([accepted("a")])

    assert await events.record_decisions([GatedEvent(key, FIRST)], NOW)
    assert not await events.record_decisions([GatedEvent(key, SECOND)], NOW)

    assert await events.decisions([key]) == {key: FIRST}


async def test_what_starts_runs_is_due_until_these_are_stored_and_what_starts_none_is_done_with(mongo: Mongo) -> None:
    events, later = EventStore(mongo.database), NOW + timedelta(hours=1)
    starting, skipped, unmatched = (accepted(name) for name in "abc")
    await events.accept([starting, skipped, unmatched])
    gated = [GatedEvent(starting.key, FIRST), GatedEvent(skipped.key, SECOND), GatedEvent(unmatched.key, [])]

    await events.record_decisions(gated, NOW)

    assert [event["_id"] for event in await events.due_for_sweep(later, 10)] == [starting.key]
    await events.settle([starting.key])
    assert await events.due_for_sweep(later, 10) == []


async def test_many_without_a_decision_are_recorded_like_any_beside_others(mongo: Mongo) -> None:
    events, later = EventStore(mongo.database), NOW + timedelta(hours=1)
    unmatched = [accepted(str(number)) for number in range(40)]
    starting, before = accepted("starting"), accepted("decided before")
    await events.accept([*unmatched, starting, before])
    await events.record_decisions([GatedEvent(before.key, SECOND)], NOW)
    gated = [*(GatedEvent(event.key, []) for event in unmatched), GatedEvent(starting.key, FIRST)]

    assert await events.record_decisions(gated, NOW)
    assert not await events.record_decisions([*gated, GatedEvent(before.key, [])], LATER)

    recorded = await events.decisions([starting.key, before.key, *(event.key for event in unmatched)])
    assert recorded == {starting.key: FIRST, before.key: SECOND} | {event.key: [] for event in unmatched}
    assert [event["_id"] for event in await events.due_for_sweep(later, 100)] == [starting.key]
    stored = await events.load([unmatched[0].key, starting.key])
    assert {event["gated_at"] for event in stored.values()} == {NOW}


async def test_what_was_set_aside_and_meets_no_agent_is_set_aside_no_longer(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    keys = [accepted(str(number)).key for number in range(40)]
    await events.accept([accepted(str(number)) for number in range(40)])
    await mongo.database["events"].update_many({}, {"$set": {"dead_letter": "dl_1"}, "$unset": {"sweep_at": ""}})

    assert await events.record_decisions([GatedEvent(key, []) for key in keys], NOW)

    assert await mongo.database["events"].count_documents({"dead_letter": {"$exists": True}}) == 0


async def test_of_gates_that_decide_at_once_one_is_recorded(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    keys = [accepted(str(number)).key for number in range(20)]
    await events.accept([accepted(str(number)) for number in range(20)])

    async def gate(name: str) -> bool:
        return await events.record_decisions([GatedEvent(key, [{"agent_key": name}]) for key in keys], NOW)

    await asyncio.gather(*(gate(f"gate-{number}") for number in range(6)))

    recorded = await events.decisions(keys)
    assert recorded.keys() == set(keys)
    assert {len(decisions) for decisions in recorded.values()} == {1}


async def test_a_batch_says_when_one_event_was_decided_already_or_is_unknown(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    a, b = accepted("a"), accepted("b")
    await events.accept([a, b])
    await events.record_decisions([GatedEvent(a.key, FIRST)], NOW)

    assert not await events.record_decisions([GatedEvent(a.key, SECOND), GatedEvent(b.key, SECOND)], NOW)
    assert not await events.record_decisions([GatedEvent("ev_unknown", FIRST)], NOW)

    assert await events.decisions([a.key, b.key, "ev_unknown"]) == {a.key: FIRST, b.key: SECOND}


@pytest.mark.parametrize("text", ["$gated", "$$NOW", "$$ROOT", "a.b"])
async def test_decisions_are_kept_to_the_letter(mongo: Mongo, text: str) -> None:
    events = EventStore(mongo.database)
    odd: list[dict[str, Any]] = [{"explanation": text, "$set": {text: [text]}}]
    await events.accept([accepted("a")])

    await events.record_decisions([GatedEvent(accepted("a").key, odd)], NOW)

    assert await events.decisions([accepted("a").key]) == {accepted("a").key: odd}


async def test_an_event_without_decisions_has_none_even_when_they_are_empty_later(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    key = accepted("a").key
    await events.accept([accepted("a")])

    before = await events.decisions([key])
    await events.record_decisions([GatedEvent(key, [])], NOW)

    assert (before, await events.decisions([key])) == ({}, {key: []})


async def test_what_is_not_gated_is_due_for_the_sweep_after_a_while_oldest_first(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    moments = {"young": 2, "old": 0, "middle": 1}
    await events.accept([accepted(name, NOW + timedelta(seconds=seconds)) for name, seconds in moments.items()])

    assert await events.due_for_sweep(NOW, 10) == []
    assert [each["id"] for each in await events.due_for_sweep(NOW + timedelta(seconds=4), 10)] == ["old", "middle"]
    assert [each["id"] for each in await events.due_for_sweep(NOW + timedelta(hours=1), 2)] == ["old", "middle"]


async def test_what_is_gated_is_due_until_its_runs_are_stored_and_then_never_again(mongo: Mongo) -> None:
    events, far_off = EventStore(mongo.database), datetime.now(UTC) + timedelta(days=999)
    key = accepted("a").key
    await events.accept([accepted("a")])
    await events.record_decisions([GatedEvent(key, FIRST)], NOW)
    before = await events.due_for_sweep(far_off, 10)

    await events.settle([key])
    await events.sweep_again_at([(key, NOW)])
    await events.sweep_all_at(NOW)

    assert [event["_id"] for event in before] == [key]
    assert await events.due_for_sweep(far_off, 10) == []


async def test_an_event_that_is_not_gated_cannot_be_settled(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted("a", NOW)])

    await events.settle([accepted("a").key])

    assert len(await events.due_for_sweep(NOW + timedelta(minutes=1), 10)) == 1


async def test_the_sweep_says_when_it_looks_again(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted("a", NOW), accepted("b", NOW)])

    await events.sweep_again_at([(accepted("a", NOW).key, NOW + timedelta(minutes=5))])
    await events.sweep_again_at([])

    assert [each["id"] for each in await events.due_for_sweep(NOW + timedelta(minutes=1), 10)] == ["b"]
    assert len(await events.due_for_sweep(NOW + timedelta(minutes=5), 10)) == 2


async def test_when_the_stream_was_lost_everything_without_decisions_is_due(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted("a", NOW + timedelta(hours=1)), accepted("b", NOW + timedelta(hours=2))])

    await events.sweep_all_at(NOW)

    assert {each["id"] for each in await events.due_for_sweep(NOW, 10)} == {"a", "b"}


async def test_only_what_is_stored_is_known(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted("a")])

    assert await events.known([accepted("a").key, "ev_unknown"]) == {accepted("a").key}
    assert (await events.load(["ev_unknown"])) == {}


async def test_the_latest_events_come_first(mongo: Mongo) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted(str(hour), NOW + timedelta(hours=hour)) for hour in (1, 3, 2)])

    assert [each["id"] for each in await events.recent({"organisation": "acme"}, 2)] == ["3", "2"]
