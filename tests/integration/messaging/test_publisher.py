"""What a publisher puts into the streams, and what the server refuses to have twice."""

import asyncio

import pytest
from nats.aio.client import Client

from contracts.lanes import QUEUES, Queue
from contracts.registry import parse_json
from contracts.streams import DEAD, EVENTS, RUN_EVENTS, RUNS, runner_consumer
from contracts.subjects import last_id
from shared.domain.run import RunStatus
from shared.domain.run_event import run_event
from shared.messaging.publisher import Publisher
from tests.integration.messaging.looking import count_behind, messages_of, take, until_settled
from tests.unit.shared.given import a_new_run, a_stored_run


async def test_a_run_that_is_dispatched_twice_is_in_the_queue_once(client: Client, publisher: Publisher) -> None:
    await publisher.dispatch([(Queue.HIGH, "run_1"), (Queue.HIGH, "run_1"), (Queue.HIGH, "run_2")])
    await publisher.dispatch([(Queue.HIGH, "run_1")])

    assert await count_behind(client, RUNS.name, "run.low.last") == 2


async def test_a_run_that_was_taken_can_be_dispatched_again(client: Client, publisher: Publisher) -> None:
    await publisher.dispatch([(Queue.HIGH, "run_1")])
    (message,) = await take(client, 1, runner_consumer(Queue.HIGH))
    await publisher.dispatch([(Queue.HIGH, "run_1")])
    assert await count_behind(client, RUNS.name, "run.low.first") == 1

    await message.ack_sync()
    await publisher.dispatch([(Queue.HIGH, "run_1")])

    assert await count_behind(client, RUNS.name, "run.low.last") == 2
    (again,) = await take(client, 1, runner_consumer(Queue.HIGH))
    assert (last_id(again.subject), again.metadata.num_delivered) == ("run_1", 1)
    await again.ack()
    await until_settled(client, runner_consumer(Queue.HIGH))


@pytest.mark.parametrize("queue", QUEUES)
async def test_each_queue_has_its_own_consumer(client: Client, publisher: Publisher, queue: Queue) -> None:
    await publisher.dispatch([(other, f"run_{other}") for other in QUEUES])

    (message,) = await take(client, 1, runner_consumer(queue))

    assert last_id(message.subject) == f"run_{queue}"
    await message.ack()
    await until_settled(client, runner_consumer(queue))


@pytest.mark.parametrize("organisation", ["acme", "a.b", "über *>", "x" * 128, "_"])
async def test_an_event_is_in_the_stream_with_its_headers(
    client: Client, publisher: Publisher, organisation: str
) -> None:
    assert await publisher.event("checkin.submitted", organisation, b'{"id":1}', {"Towpath-Accepted": "once"})

    ((subject, body, headers),) = await messages_of(client, EVENTS.name, 1)
    assert (last_id(subject), body, headers) == (organisation, b'{"id":1}', {"Towpath-Accepted": "once"})


async def test_a_fact_of_a_run_is_kept_once_however_it_was_told(client: Client, publisher: Publisher) -> None:
    fact = run_event(a_stored_run(RunStatus.COMPLETED))

    await publisher.run_events([fact])
    assert await publisher.run_events_confirmed([fact, fact])
    await publisher.run_events([fact])

    assert await count_behind(client, RUN_EVENTS.name, "runevent.a.b.c.last") == 1
    (_, body, _), _ = await messages_of(client, RUN_EVENTS.name, 2)
    assert parse_json(body).type == "run.completed"


async def test_many_facts_are_confirmed_together_and_in_order(client: Client, publisher: Publisher) -> None:
    facts = [run_event(a_stored_run(RunStatus.COMPLETED, a_new_run(f"run_{number}"))) for number in range(300)]

    assert await publisher.run_events_confirmed(facts)

    told = await messages_of(client, RUN_EVENTS.name, 300)
    assert [last_id(subject) for subject, _, _ in told] == [f"run_{number}" for number in range(300)]


async def test_facts_without_a_stream_are_not_confirmed(client: Client, publisher: Publisher) -> None:
    await client.jetstream().delete_stream(RUN_EVENTS.name)

    async with asyncio.timeout(10):
        assert not await publisher.run_events_confirmed([run_event(a_stored_run(RunStatus.COMPLETED))])


async def test_a_message_is_published_again_as_it_came_however_often(client: Client, publisher: Publisher) -> None:
    for _ in range(2):
        assert await publisher.again("event.doc.created.acme", b"\x00 no event")

    told = await messages_of(client, EVENTS.name, 2)
    assert [(subject, body) for subject, body, _ in told] == [("event.doc.created.acme", b"\x00 no event")] * 2
    assert not await publisher.again("of.no.stream", b"")


@pytest.mark.parametrize("reason", ["plain", "two\nlines\r\n and  tabs\t", "Größe „zu lang“ 🦜", "x" * 5_000])
async def test_a_dead_letter_keeps_the_message_and_why(client: Client, publisher: Publisher, reason: str) -> None:
    assert await publisher.dead_letter("event", "ev_1", b"\x00not json", reason, "event.checkin.submitted.acme")

    ((subject, body, headers),) = await messages_of(client, DEAD.name, 1)
    assert (subject, body) == ("dead.event.ev_1", b"\x00not json")
    assert headers["Towpath-Reason"] == " ".join(reason.split())[:1_000]
    assert headers["Towpath-Subject"] == "event.checkin.submitted.acme"


async def test_a_dead_letter_is_kept_once(client: Client, publisher: Publisher) -> None:
    for _ in range(3):
        assert await publisher.dead_letter("event", "ev_1", b"{}", "unreadable", "event.x.acme")

    assert await count_behind(client, DEAD.name, "dead.event.last") == 1


async def test_a_dead_letter_that_cannot_be_kept_is_not_taken_for_kept(client: Client, publisher: Publisher) -> None:
    await client.jetstream().delete_stream(DEAD.name)

    async with asyncio.timeout(10):
        assert not await publisher.dead_letter("event", "ev_1", b"{}", "unreadable", "event.x.acme")


async def test_a_server_that_is_there_answers(publisher: Publisher) -> None:
    assert publisher.is_connected
    assert await publisher.answers()
