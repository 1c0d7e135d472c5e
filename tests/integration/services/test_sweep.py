"""The sweep: what got stuck moves on, what is only slow is left alone."""

from datetime import datetime, timedelta

import pytest
from nats.aio.client import Client

from contracts.lanes import Lane
from contracts.registry import parse_json
from contracts.streams import EVENTS, GATING, RUN_EVENTS, RUNS, runner_consumer
from contracts.subjects import last_id
from services.scheduler.event_sweep import EventSweep
from services.scheduler.leader import Leader
from services.scheduler.run_sweep import MOST_LOSSES, RunSweep
from services.scheduler.streams import Streams
from services.scheduler.sweeper import TRUST_LEASES_AFTER, Sweeper
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.domain.event import ACCEPTED_HEADER
from shared.domain.run import RunError, Usage, Waiting
from shared.messaging.backlog import Backlog
from shared.messaging.provision import missing_parts
from shared.messaging.publisher import Publisher
from shared.settings import StreamSettings
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore, GatedEvent
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.run_documents import Return
from shared.store.runs import RunStore
from tests.integration.messaging.looking import count_of, messages_of, take
from tests.integration.store.given import accepted, claimed, completing, expire_lease, queued, run_of
from tests.support.waiting import until_seen
from tests.unit.shared.given import a_memory_effect

SECOND = timedelta(seconds=1)
ERROR = RunError("model_unavailable", "It hung up.")


class Clock:
    """A clock that a test sets; it begins at the present, because leases are the database's business."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now


class Bench:
    """A sweep with everything around it."""

    def __init__(self, mongo: Mongo, publisher: Publisher, client: Client) -> None:
        self.clock = Clock()
        self.store = RunStore(mongo.database)
        self.proposals = ProposalStore(mongo)
        self.accepted = EventStore(mongo.database)
        aftermath = Aftermath(self.store, self.proposals, DeadLetterStore(mongo.database), publisher)
        self.runs = RunSweep(self.store, aftermath, publisher, self.clock)
        self.events = EventSweep(self.accepted, publisher, Backlog(client), self.clock)
        leader = Leader(LeaseStore(mongo.database), "one", 3)
        self.sweeper = Sweeper(self.events, self.runs, Streams(client, StreamSettings()), leader, self.clock)

    async def sweep_runs(self, after: timedelta = timedelta(0), *, may_take_over: bool = True) -> int:
        self.clock.now += after
        return await self.runs.sweep(may_take_over=may_take_over)


@pytest.fixture
def bench(mongo: Mongo, publisher: Publisher, client: Client) -> Bench:
    return Bench(mongo, publisher, client)


async def dispatched(client: Client, count: int, lane: Lane = Lane.MEDIUM) -> list[str]:
    return [last_id(message.subject) for message in await take(client, count, runner_consumer(lane))]


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
    await client.jetstream().publish("run.low.last", b"")
    assert await count_of(client, RUNS.name) == 2


async def test_a_waiting_run_is_released_when_it_is_due_and_not_before(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    due = bench.clock.now + 30 * SECOND
    claim = await claimed(bench.store)
    await bench.store.write_fenced([Return(claim, bench.clock.now, Usage(), ERROR, Waiting.RETRY, due)])

    early = await bench.sweep_runs(29 * SECOND)
    waiting_for = (await run_of(mongo))["waiting_for"]
    late = await bench.sweep_runs(1 * SECOND)

    assert (early, late) == (0, 1)
    assert waiting_for is not None
    assert (await run_of(mongo))["waiting_for"] is None
    assert await dispatched(client, 1) == ["run_1"]


async def test_a_lost_run_returns_to_the_queue_at_once(client: Client, mongo: Mongo, bench: Bench) -> None:
    await claimed(bench.store)
    await expire_lease(mongo)

    await bench.sweep_runs()

    run = await run_of(mongo)
    assert (run["status"], run["failures"], run["error"]["code"]) == ("queued", 1, "runner_lost")
    assert await dispatched(client, 1) == ["run_1"]


async def test_while_leases_cannot_be_trusted_nothing_is_taken_over(mongo: Mongo, bench: Bench) -> None:
    await claimed(bench.store)
    await expire_lease(mongo)
    before = await run_of(mongo)

    assert await bench.sweep_runs(may_take_over=False) == 0
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
    told = [parse_json(body).type for _, body, _ in await messages_of(client, RUN_EVENTS.name, 1)]
    assert told == ["run.failed"]


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


async def test_runs_are_taken_over_only_some_time_after_the_database_came_back(mongo: Mongo, bench: Bench) -> None:
    async def status_after_a_round() -> str:
        await bench.sweeper.sweep()
        return str((await run_of(mongo))["status"])

    await claimed(bench.store)
    await expire_lease(mongo)

    at_first = await status_after_a_round()
    bench.clock.now += TRUST_LEASES_AFTER - 0.5 * SECOND
    soon = await status_after_a_round()
    bench.clock.now += 0.5 * SECOND

    assert (at_first, soon, await status_after_a_round()) == ("running", "running", "queued")
