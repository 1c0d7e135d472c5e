"""The sweep: what got stuck moves on, what is only slow is left alone."""

from dataclasses import replace

import pytest
from nats.aio.client import Client

from contracts.lanes import Queue
from contracts.registry import parse_json
from contracts.streams import EVENTS, GATING, RUN_EVENTS, RUNS
from contracts.subjects import last_id
from services.scheduler.steadiness import Steadiness
from shared.domain.event import ACCEPTED_HEADER
from shared.domain.run import RunStatus, Waiting
from shared.domain.run_event import run_event
from shared.messaging.provision import missing_parts
from shared.messaging.publisher import Publisher
from shared.store.events import GatedEvent
from shared.store.mongo import Mongo
from shared.store.run_documents import Return, waiting_document
from shared.store.run_ends import MOST_LOSSES, Cancel
from tests.integration.messaging.looking import count_behind, count_of, messages_of, take
from tests.integration.services.sweeping import SECOND, Bench, dispatched
from tests.integration.store.given import (
    USED,
    accepted,
    claimed,
    completing,
    expire_lease,
    queued,
    retrying,
    run_of,
)
from tests.support.steadying import Seconds
from tests.support.waiting import until_seen
from tests.unit.shared.given import NOW, a_memory_effect, a_new_run, a_stored_run


@pytest.fixture
def bench(mongo: Mongo, publisher: Publisher, client: Client) -> Bench:
    return Bench(mongo, publisher, client)


async def test_a_run_whose_dispatch_was_lost_is_dispatched_again(client: Client, bench: Bench) -> None:
    await queued(bench.store, "run_1", queued_at=bench.clock.now)

    assert await bench.sweep_runs() == 0
    assert await bench.sweep_runs(3 * SECOND) == 1

    assert await dispatched(client, 1) == ["run_1"]
    ((_, body, _),) = await messages_of(client, RUN_EVENTS.name, 1)
    assert parse_json(body).type == "run.queued"


async def test_a_run_that_is_still_in_the_queue_stays_in_it_once(client: Client, bench: Bench) -> None:
    await queued(bench.store, "run_1", queued_at=bench.clock.now)

    swept = [await bench.sweep_runs(delay * SECOND) for delay in (3, 0, 3, 6)]

    assert swept == [1, 0, 1, 1]
    assert await count_behind(client, RUNS.name, "run.low.last") == 1


async def test_a_waiting_run_is_released_when_it_is_due_and_not_before(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    await bench.store.write_fenced([retrying(await claimed(bench.store), bench.clock.now + 30 * SECOND)])

    early = await bench.sweep_runs(29 * SECOND)
    waiting_for = (await run_of(mongo))["waiting_for"]
    late = await bench.sweep_runs(1 * SECOND)

    assert (early, late) == (0, 1)
    assert waiting_for is not None
    run = await run_of(mongo)
    assert (run["waiting_for"], run["express"], len(run["slots"])) == (None, True, 1)
    assert await dispatched(client, 1, Queue.EXPRESS_MEDIUM) == ["run_1"]


async def test_a_run_that_waited_too_long_fails_and_is_told(client: Client, mongo: Mongo, bench: Bench) -> None:
    waiting = waiting_document(Waiting.AGENT, bench.clock.now, key="slot_1", detail="noter of acme")
    await queued(bench.store, "run_1", queued_at=bench.clock.now, waiting_for=waiting, queue_timeout_seconds=60)

    early = await bench.sweep_runs(59 * SECOND)
    for _ in range(2):
        await bench.sweep_runs(1 * SECOND)

    run = await run_of(mongo)
    assert (early, run["status"], run["error"]["code"]) == (0, "failed", "queue_timed_out")
    assert "sweep_at" not in run
    ((_, body, _),) = await messages_of(client, RUN_EVENTS.name, 1)
    assert parse_json(body).type == "run.failed"


async def test_a_run_that_waits_past_its_time_as_a_whole_fails(client: Client, mongo: Mongo, bench: Bench) -> None:
    await queued(bench.store, "run_1", queue_timeout_seconds=1, run_timeout_seconds=60)
    await mongo.database["runs"].update_one({"_id": "run_1"}, {"$set": {"queue_expires_at": None}})
    await bench.store.write_fenced([retrying(await claimed(bench.store), bench.clock.now + 61 * SECOND)])

    await bench.sweep_runs(61 * SECOND)

    run = await run_of(mongo)
    assert (run["status"], run["error"]["code"]) == ("failed", "run_timed_out")


async def test_a_cancelled_run_that_was_left_behind_goes_to_a_runner_whatever_its_time(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    await queued(bench.store, "run_1", run_timeout_seconds=1)
    waiting = waiting_document(Waiting.PAUSED, bench.clock.now, key="slot_1", detail="paused at user")
    returned = Return(await claimed(bench.store), bench.clock.now, USED, waiting_for=waiting)
    await bench.store.write_fenced([returned])
    await bench.store.cancel({"_id": "run_1"}, Cancel("olga", bench.clock.now + 5 * SECOND))

    await bench.sweep_runs(5 * SECOND)

    assert (await run_of(mongo))["status"] == "queued"
    assert await dispatched(client, 1) == ["run_1"]


async def test_a_run_that_was_cancelled_while_queued_is_told_and_settled(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    await queued(bench.store, "run_1")
    await bench.store.cancel({"_id": "run_1"}, Cancel("olga", bench.clock.now))

    await bench.sweep_runs()

    ((_, body, _),) = await messages_of(client, RUN_EVENTS.name, 1)
    assert parse_json(body).type == "run.cancelled"
    assert "sweep_at" not in await run_of(mongo)


async def test_a_redriven_run_is_dispatched(client: Client, mongo: Mongo, bench: Bench) -> None:
    commit = completing(await claimed(bench.store))
    await bench.store.write_fenced([replace(commit, status=RunStatus.FAILED)])
    await bench.store.redrive(["run_1"], bench.clock.now)

    await bench.sweep_runs()

    assert await dispatched(client, 1, Queue.EXPRESS_MEDIUM) == ["run_1"]


async def test_a_lost_run_returns_to_the_queue_at_once(client: Client, mongo: Mongo, bench: Bench) -> None:
    await claimed(bench.store)
    await expire_lease(mongo)

    await bench.sweep_runs()

    run = await run_of(mongo)
    assert (run["status"], run["failures"], run["losses"], run["error"]["code"]) == ("queued", 0, 1, "runner_lost")
    assert await dispatched(client, 1, Queue.EXPRESS_MEDIUM) == ["run_1"]


async def test_while_leases_cannot_be_trusted_nothing_is_taken_over(mongo: Mongo, bench: Bench) -> None:
    await claimed(bench.store)
    await expire_lease(mongo)
    before = await run_of(mongo)
    unsteady = replace(bench.runs, steadiness=Steadiness(Seconds()))

    assert await unsteady.sweep() == 0
    assert await run_of(mongo) == before


async def test_a_run_that_kills_its_runners_ends_as_failed_and_is_told(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    for _ in range(MOST_LOSSES + 1):
        await claimed(bench.store)
        await expire_lease(mongo)
        await bench.sweep_runs()
    await bench.sweep_runs()

    run = await run_of(mongo)
    assert (run["status"], run["attempt"], run["error"]["code"]) == ("failed", MOST_LOSSES + 1, "runner_lost")
    assert "sweep_at" not in run
    told = [parse_json(body).type for _, body, _ in await messages_of(client, RUN_EVENTS.name, MOST_LOSSES + 1)]
    assert told == [*["run.queued"] * MOST_LOSSES, "run.failed"]


async def test_what_a_crash_left_undone_after_a_commit_is_done(client: Client, mongo: Mongo, bench: Bench) -> None:
    commit = completing(await claimed(bench.store), effects=(a_memory_effect(0), a_memory_effect(1, field="tea")))
    await bench.store.write_fenced([commit])
    bench.clock.now = commit.finished_at + 5 * SECOND

    await bench.sweep_runs()
    await bench.sweep_runs(600 * SECOND)

    assert len(await bench.proposals.find({}, 10)) == 2
    ((_, body, _),) = await messages_of(client, RUN_EVENTS.name, 1)
    assert parse_json(body).type == "run.completed"
    assert "sweep_at" not in await run_of(mongo)


async def test_an_end_that_was_told_long_ago_is_not_told_again(client: Client, mongo: Mongo, bench: Bench) -> None:
    """The stream has forgotten by then that it was told so, which a stream with a window of moments has at once."""
    config = (await client.jetstream().stream_info(RUN_EVENTS.name)).config
    await client.jetstream().update_stream(config, duplicate_window=0.1)
    commit = completing(await claimed(bench.store))
    await bench.store.write_fenced([commit])
    end = run_event(await run_of(mongo))
    await client.jetstream().publish(end.subject, end.json, headers={"Nats-Msg-Id": end.id})
    other = a_stored_run(RunStatus.COMPLETED, a_new_run("run_2"), finished_at=commit.finished_at, changed_at=NOW)
    await mongo.database["runs"].insert_one({**other, "sweep_at": commit.finished_at})
    bench.clock.now = commit.finished_at + 600 * SECOND

    await bench.sweep_runs()

    told = [last_id(subject) for subject, _, _ in await messages_of(client, RUN_EVENTS.name, 2)]
    assert told == [commit.claim.run_id, "run_2"]
    assert "sweep_at" not in await run_of(mongo)


async def test_an_end_that_cannot_be_told_stays_due_but_its_effects_are_there(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    commit = completing(await claimed(bench.store), effects=(a_memory_effect(),))
    await bench.store.write_fenced([commit])
    away = Bench(mongo, Publisher(), client)
    away.clock.now = commit.finished_at + 5 * SECOND

    await away.sweep_runs()

    assert len(await bench.proposals.find({}, 10)) == 1
    assert (await run_of(mongo))["sweep_at"] > away.clock.now


async def test_an_event_that_was_not_gated_is_published_again(client: Client, bench: Bench) -> None:
    event = accepted("a", bench.clock.now)
    await bench.accepted.accept([event, accepted("b", bench.clock.now)])
    await bench.accepted.record_decisions([GatedEvent(accepted("b").key, [])], bench.clock.now)
    await bench.accepted.settle([accepted("b").key])

    published = []
    for delay in (0, 3, 0):
        bench.clock.now += delay * SECOND
        published.append(await bench.events.sweep())

    assert published == [0, 1, 0]
    ((_, body, headers),) = await messages_of(client, EVENTS.name, 1)
    assert (body.decode(), headers[ACCEPTED_HEADER]) == (event.json, "again")


async def test_while_gating_is_behind_an_event_is_late_not_lost(client: Client, bench: Bench) -> None:
    await bench.accepted.accept([accepted("a", bench.clock.now)])
    await client.jetstream().publish("event.checkin.submitted.acme", b"{}")

    bench.clock.now += 10 * SECOND
    late = await bench.events.sweep()
    bench.clock.now += 60 * SECOND
    lost = await bench.events.sweep()

    assert (late, lost) == (0, 1)


async def test_everything_that_is_due_is_published_however_much_it_is(client: Client, bench: Bench) -> None:
    await bench.accepted.accept([accepted(str(number), bench.clock.now) for number in range(1_100)])

    bench.clock.now += 3 * SECOND

    assert await bench.events.sweep() == 1_100
    await until_seen(lambda: count_of(client, EVENTS.name), lambda count: count == 1_100)


async def test_when_the_streams_were_lost_they_are_restored_and_everything_is_due(client: Client, bench: Bench) -> None:
    await bench.sweeper.sweep()
    await queued(bench.store, "run_1", queued_at=bench.clock.now)
    await bench.accepted.accept([accepted("a", bench.clock.now)])
    for stream in (EVENTS.name, RUNS.name):
        await client.jetstream().delete_stream(stream)

    bench.clock.now += 1 * SECOND
    await bench.sweeper.sweep()

    assert await missing_parts(client) == []
    assert await dispatched(client, 1) == ["run_1"]
    assert len(await take(client, 1, GATING)) == 1


async def test_runs_of_a_runner_that_is_gone_start_elsewhere_at_once(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    await claimed(bench.store, "run_1")
    await claimed(bench.store, "run_2", owner="runner-2")

    assert await bench.runs.take_over_from("runner-1") == 1

    assert await dispatched(client, 1, Queue.EXPRESS_MEDIUM) == ["run_1"]
    assert (await run_of(mongo, "run_2"))["status"] == "running"
