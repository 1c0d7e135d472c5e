"""What becomes of messages that the gate cannot handle."""

from typing import Any
from unittest.mock import Mock

import orjson
import pytest
from nats.aio.client import Client

from contracts.streams import DEAD
from services.gating.dead_letters import EventDeadLetters
from shared.clock import utc_now
from shared.errors import StorageUnavailable
from shared.messaging.delivery import Undeliverable
from shared.messaging.publisher import Publisher
from shared.store.dead_letters import DeadLetterStore, payload_of
from shared.store.events import SWEEP_AFTER, EventStore, GatedEvent
from shared.store.mongo import Mongo
from tests.integration.messaging.looking import messages_of
from tests.integration.store.given import accepted
from tests.unit.shared.given import Document

SUBJECT = "event.checkin.submitted.acme"
STARTS = {"agent_key": "noter", "outcome": "run", "run_id": "run_1"}
NO_EVENT = Undeliverable(SUBJECT, b"no event", "event_unreadable", "The event is not JSON.")


def letters_of(mongo: Mongo, publisher: Publisher) -> EventDeadLetters:
    return EventDeadLetters(mongo, DeadLetterStore(mongo.database), EventStore(mongo.database), publisher, utc_now)


def of_unknown_type(event: Any) -> Undeliverable:
    return Undeliverable(SUBJECT, event.json.encode(), "unknown_event_type", "There is no event type.")


async def the_letter(mongo: Mongo) -> Document:
    (letter,) = await mongo.database["dead_letters"].find({}).to_list(None)
    return dict(letter)


async def due(mongo: Mongo) -> list[str]:
    found = await EventStore(mongo.database).due_for_sweep(utc_now() + SWEEP_AFTER, 10)
    return [event["_id"] for event in found]


async def test_what_is_no_event_is_kept_where_it_can_be_decided_and_told_as_well(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    await letters_of(mongo, publisher).keep(NO_EVENT)

    letter = await the_letter(mongo)
    assert (letter["code"], letter["reason"], letter["organisation"]) == (NO_EVENT.code, NO_EVENT.reason, "acme")
    assert (payload_of(letter), letter["subject"], letter["event_key"]) == (b"no event", SUBJECT, None)
    ((subject, body, headers),) = await messages_of(client, DEAD.name, 1)
    assert (subject, body) == (f"dead.event.{letter['_id']}", b"no event")
    assert headers["Towpath-Reason"] == "event_unreadable: The event is not JSON."


async def test_the_same_message_sent_again_is_the_same_letter(mongo: Mongo, publisher: Publisher) -> None:
    letters = letters_of(mongo, publisher)

    await letters.keep(NO_EVENT)
    await letters.keep(NO_EVENT)

    assert (await the_letter(mongo))["count"] == 2


async def test_without_nats_a_letter_is_kept_all_the_same(mongo: Mongo) -> None:
    await letters_of(mongo, Publisher()).keep(NO_EVENT)

    assert (await the_letter(mongo))["status"] == "open"


async def test_an_accepted_event_is_left_alone_by_the_sweep_until_it_is_taken_up_again(mongo: Mongo) -> None:
    events, event = EventStore(mongo.database), accepted("a")
    await events.accept([event])
    letters = letters_of(mongo, Publisher())

    await letters.keep(of_unknown_type(event))
    # What a sweep does that has published the event just before.
    await events.sweep_again_at([(event.key, event.accepted_at)])
    aside = await due(mongo)
    await letters.keep(of_unknown_type(event))
    letter = await the_letter(mongo)
    await events.take_up_again([event.key], utc_now())

    assert (aside, await due(mongo)) == ([], [event.key])
    assert (letter["event_key"], letter["is_accepted"], letter["count"]) == (event.key, True, 2)
    assert "dead_letter" not in (await events.load([event.key]))[event.key]


async def test_there_is_no_letter_of_an_event_that_the_sweep_is_not_to_leave_alone_yet(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, event = EventStore(mongo.database), accepted("a")
    await events.accept([event])
    monkeypatch.setattr(EventStore, "set_aside", Mock(side_effect=StorageUnavailable("away")))

    with pytest.raises(StorageUnavailable):
        await letters_of(mongo, Publisher()).keep(of_unknown_type(event))

    assert await mongo.database["dead_letters"].count_documents({}) == 0


async def test_a_decided_event_whose_runs_may_not_be_stored_is_set_aside_like_any_other(mongo: Mongo) -> None:
    events, event = EventStore(mongo.database), accepted("a")
    await events.accept([event])
    await events.record_decisions([GatedEvent(event.key, [STARTS])], utc_now())

    await letters_of(mongo, Publisher()).keep(of_unknown_type(event))
    aside = await due(mongo)
    await events.take_up_again([event.key], utc_now())

    assert (aside, await due(mongo)) == ([], [event.key])


async def test_an_event_that_another_gate_could_decide_needs_no_letter(mongo: Mongo) -> None:
    events, event = EventStore(mongo.database), accepted("a")
    await events.accept([event])
    await events.record_decisions([GatedEvent(event.key, [])], utc_now())
    await events.settle([event.key])

    await letters_of(mongo, Publisher()).keep(of_unknown_type(event))

    assert await mongo.database["dead_letters"].count_documents({}) == 0


async def test_a_decision_ends_what_another_gate_had_set_aside(mongo: Mongo) -> None:
    events, event = EventStore(mongo.database), accepted("a")
    await events.accept([event])
    await letters_of(mongo, Publisher()).keep(of_unknown_type(event))

    await events.record_decisions([GatedEvent(event.key, [STARTS])], utc_now())
    unsettled = await due(mongo)
    await events.settle([event.key])
    await events.take_up_again([event.key], utc_now())

    assert (unsettled, await due(mongo)) == ([event.key], [])
    assert "dead_letter" not in (await events.load([event.key]))[event.key]


async def test_other_content_under_the_id_of_an_accepted_event_is_a_letter_of_its_own(mongo: Mongo) -> None:
    event = accepted("a")
    await EventStore(mongo.database).accept([event])
    other = orjson.dumps({**orjson.loads(event.json), "type": "checkin.eaten"})

    await letters_of(mongo, Publisher()).keep(Undeliverable(SUBJECT, other, "unknown_event_type", "No such type."))

    letter = await the_letter(mongo)
    assert (letter["event_key"], letter["is_accepted"]) == (event.key, False)
    assert await due(mongo) == [event.key]
