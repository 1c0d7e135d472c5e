"""A runner takes what is dispatched, keeps it while it works, and hands it back when it must go."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest_asyncio
from nats.aio.client import Client

from contracts.lanes import Queue
from contracts.streams import runner_consumer
from contracts.subjects import last_id
from services.runner.heartbeat import Heartbeat
from services.runner.work import Attempt
from shared.carried import carrying
from shared.clock import utc_now
from shared.domain.run import Done
from shared.messaging.barrier import taken_by_server
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from tests.integration.messaging.looking import take, until_settled
from tests.integration.services.running import OWNER, Runner, Waiting
from tests.integration.store.given import LEASE_SECONDS, expire_lease
from tests.support.processes import eventually

MEDIUM = Queue.MEDIUM
QUEUE = runner_consumer(MEDIUM)


async def done(attempt: Attempt) -> Done:
    return Done({})


@pytest_asyncio.fixture
async def runner(mongo: Mongo, publisher: Publisher) -> Runner:
    return Runner(mongo, publisher, {"test": done}, slots=2)


async def dispatch(client: Client, publisher: Publisher, ids: list[str]) -> None:
    await publisher.dispatch((MEDIUM, run_id) for run_id in ids)
    await taken_by_server(client)


def idle(runner: Runner) -> bool:
    return not runner.executions.claims() and runner.slots.taken == 0


async def test_what_is_dispatched_is_claimed_run_and_acknowledged(
    client: Client, publisher: Publisher, runner: Runner
) -> None:
    ids = await runner.decide(*"abcde")
    await dispatch(client, publisher, ids)

    await runner.intake.take(MEDIUM, await take(client, 5, QUEUE))

    await eventually(lambda: idle(runner))
    assert {(await runner.run_of(run_id))["status"] for run_id in ids} == {"completed"}
    await until_settled(client, QUEUE)


async def carry(
    mongo: Mongo, publisher: Publisher, client: Client, ids: list[str], decided: list[str] | None = None
) -> None:
    """Dispatch runs as the gate does, with what is stored of them and of their events now."""
    carried = {}
    for run_id in ids:
        run = await mongo.database["runs"].find_one({"_id": run_id})
        assert run is not None
        event = await mongo.database["events"].find_one({"_id": run["event_key"]})
        assert event is not None
        recorded = [decision["run_id"] for decision in event["decisions"]]
        carried[run_id] = carrying(run, event["json"].encode(), recorded if decided is None else decided)
    await publisher.dispatch(((MEDIUM, run_id) for run_id in ids), carried)
    await taken_by_server(client)


async def test_what_came_along_with_the_dispatch_is_not_read(
    client: Client, mongo: Mongo, publisher: Publisher, runner: Runner
) -> None:
    ids = await runner.decide(*"abc")
    await carry(mongo, publisher, client, ids[:2])
    await dispatch(client, publisher, ids[2:])
    keys = [(await runner.run_of(run_id))["event_key"] for run_id in ids[:2]]
    await mongo.database["events"].delete_many({"_id": {"$in": keys}})

    await runner.intake.take(MEDIUM, await take(client, 3, QUEUE))

    await eventually(lambda: idle(runner))
    assert {(await runner.run_of(run_id))["status"] for run_id in ids} == {"completed"}
    await until_settled(client, QUEUE)


async def test_a_run_that_changed_after_its_dispatch_is_read_again(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    seen: list[Any] = []

    async def handler(attempt: Attempt) -> Done:
        seen.append((attempt.run["failures"], attempt.event["id"]))
        return Done({})

    runner = Runner(mongo, publisher, {"test": handler}, slots=2)
    ids = await runner.decide("a")
    await carry(mongo, publisher, client, ids)
    await runner.store.sweep_again_at([(ids[0], utc_now())])
    await mongo.database["runs"].update_one({"_id": ids[0]}, {"$set": {"failures": 1}})

    await runner.intake.take(MEDIUM, await take(client, 1, QUEUE))

    await eventually(lambda: idle(runner))
    assert seen == [(1, "a")]


async def test_no_run_starts_before_it_was_queued_though_the_clocks_of_gate_and_runner_differ(
    client: Client, mongo: Mongo, publisher: Publisher, runner: Runner
) -> None:
    (run_id,) = await runner.decide("a")
    later = utc_now() + timedelta(seconds=1)
    await mongo.database["runs"].update_one({"_id": run_id}, {"$set": {"queued_at": later}})
    await carry(mongo, publisher, client, [run_id])

    await runner.intake.take(MEDIUM, await take(client, 1, QUEUE))

    await eventually(lambda: idle(runner))
    assert (await runner.run_of(run_id))["started_at"] == later


async def test_a_run_whose_recorded_decision_came_along_without_it_is_refused(
    client: Client, mongo: Mongo, publisher: Publisher, runner: Runner
) -> None:
    (run_id,) = await runner.decide("a")
    await carry(mongo, publisher, client, [run_id], decided=["run_other"])

    await runner.intake.take(MEDIUM, await take(client, 1, QUEUE))

    await eventually(lambda: idle(runner))
    run = await runner.run_of(run_id)
    assert (run["status"], run["error"]["code"]) == ("cancelled", "not_decided")


async def test_what_cannot_be_claimed_gives_its_slot_back_and_is_acknowledged(
    client: Client, publisher: Publisher, runner: Runner
) -> None:
    ids = await runner.decide("a", "b")
    await runner.store.claim(ids, "runner-2", LEASE_SECONDS)
    await dispatch(client, publisher, [*ids, "run_unknown"])

    await runner.intake.take(MEDIUM, await take(client, 3, QUEUE))

    assert idle(runner)
    await until_settled(client, QUEUE)


async def test_no_more_run_at_a_time_than_there_are_slots_and_the_rest_goes_to_others(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    handler = Waiting()
    runner = Runner(mongo, publisher, {"test": handler}, slots=2)
    ids = await runner.decide(*"abc")
    await dispatch(client, publisher, ids)

    await runner.intake.take(MEDIUM, await take(client, 3, QUEUE))

    assert len(runner.executions.claims()) == 2
    (returned,) = await take(client, 1, QUEUE)
    await eventually(lambda: len(handler.under_way) == 2)
    assert last_id(returned.subject) == (set(ids) - set(handler.under_way)).pop()
    handler.may_end.set()
    await runner.executions.drain(5)
    await returned.ack_sync()


async def test_a_runner_that_stops_takes_nothing_more(client: Client, publisher: Publisher, runner: Runner) -> None:
    ids = await runner.decide("a")
    await dispatch(client, publisher, ids)
    runner.slots.close()

    await runner.intake.take(MEDIUM, await take(client, 1, QUEUE))

    (message,) = await take(client, 1, QUEUE)
    assert (await runner.run_of(ids[0]))["status"] == "queued"
    await message.ack_sync()


async def test_draining_lets_runs_end_and_hands_the_others_back_at_once(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    handler = Waiting()
    runner = Runner(mongo, publisher, {"test": handler})
    (run_id,) = await runner.decide("a")
    await dispatch(client, publisher, [run_id])
    await runner.intake.take(MEDIUM, await take(client, 1, QUEUE))
    await eventually(lambda: handler.under_way == [run_id])
    await until_settled(client, QUEUE)

    await runner.executions.drain(0.01)

    run = await runner.run_of(run_id)
    assert (run["status"], run["failures"], run["waiting_for"]) == ("queued", 0, None)
    assert handler.cancelled == [run_id]
    assert idle(runner)
    (message,) = await take(client, 1, runner_consumer(Queue.EXPRESS_MEDIUM))
    assert last_id(message.subject) == run_id
    await message.ack_sync()


async def test_draining_waits_for_runs_that_end_in_time(mongo: Mongo, publisher: Publisher) -> None:
    handler = Waiting()
    runner = Runner(mongo, publisher, {"test": handler})
    (run_id,) = await runner.decide("a")
    await runner.slots.take(MEDIUM, 1, 1)
    runner.executions.start(await runner.claim(run_id))
    await eventually(lambda: handler.under_way == [run_id])

    draining = asyncio.create_task(runner.executions.drain(30))
    handler.may_end.set()
    await draining

    assert (await runner.run_of(run_id))["status"] == "completed"
    assert handler.cancelled == []


async def test_a_heartbeat_keeps_the_runs_that_are_held_and_stops_those_that_were_lost(
    mongo: Mongo, publisher: Publisher
) -> None:
    handler = Waiting()
    runner = Runner(mongo, publisher, {"test": handler})
    kept, lost = await runner.decide("a", "b")
    await runner.slots.take(MEDIUM, 2, 1)
    for run_id in (kept, lost):
        runner.executions.start(await runner.claim(run_id))
    await eventually(lambda: len(handler.under_way) == 2)
    await expire_lease(mongo, lost)
    await runner.store.claim([lost], "runner-2", LEASE_SECONDS)
    before = await runner.run_of(lost)
    heartbeat = Heartbeat(runner.store, OWNER, 500, runner.executions)

    await heartbeat.beat()

    await eventually(lambda: handler.cancelled == [lost])
    assert [claim.run_id for claim in runner.executions.claims()] == [kept]
    assert runner.slots.taken == 1
    assert await runner.run_of(lost) == before
    handler.may_end.set()
    await runner.executions.drain(5)
    assert (await runner.run_of(kept))["status"] == "completed"
