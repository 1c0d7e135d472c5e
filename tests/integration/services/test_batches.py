"""Batches on a real database: nothing starts twice, whatever falls between, and cancelling and resuming reach all."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from nats.aio.client import Client

from contracts.manual_runs import AgentExecuteRequested
from contracts.registry import parse
from services.gating.queueing import new_run
from services.runner.obstacle import obstacle
from shared.clock import utc_now
from shared.domain.batch import child_run_id
from shared.domain.decide import decide, record
from shared.domain.event import accepted_event
from shared.domain.run import Claim, Refused, RunError, RunStatus, Usage, Waiting
from shared.domain.slot import QueueLimits
from shared.messaging.publisher import Publisher
from shared.store.batches import child_document
from shared.store.events import GatedEvent
from shared.store.mongo import Mongo
from shared.store.retention import Retention
from shared.store.run_documents import Commit
from shared.store.run_ends import Cancel
from tests.integration.services.sweeping import SECOND, Bench
from tests.integration.store.given import LEASE_SECONDS
from tests.unit.shared.given import Document, a_version, triggered

USERS = ["ada", "bob", "cyd"]
SPEC = triggered("noter", max_concurrent_tasks=None)


class Batching(Bench):
    """A sweep, with a batch of three users, two at a time."""

    parent_id = ""

    async def begin(self, *, is_recorded: bool = True) -> Document:
        """Accept and gate the event of a batch, and store its run."""
        data = {
            "agent_key": "noter",
            "requested_by": "olga",
            "target": {"type": "batch", "id": "b-1"},
            "batch": {"users": USERS, "size": 2},
        }
        attributes = {"id": "b-1", "source": "/test", "type": "agent.execute_requested", "specversion": "1.0"}
        event = parse({**attributes, "organisationid": "acme", "userid": "olga", "data": data})
        assert isinstance(event, AgentExecuteRequested)
        now = self.clock.now = utc_now()
        await self.accepted.accept([accepted_event(event, event.to_json().decode(), now)])
        (decision,) = [record(event.key, each) for each in decide(event, self.configuration, now)]
        recorded = [decision] if is_recorded else []
        await self.accepted.record_decisions([GatedEvent(event.key, recorded)], now)
        run, candidate = new_run(event, decision, self.configuration, QueueLimits(512), now)
        assert candidate is None
        await self.store.add([run])
        self.parent_id = run.id
        return await self.parent()

    async def parent(self) -> Document:
        return (await self.store.load([self.parent_id]))[self.parent_id]

    async def children(self) -> dict[str, str]:
        """Return the status of each user's run."""
        return {child.user: child.status.value for child in await self.store.children_of(self.parent_id)}

    async def finish(self, *users: str, status: RunStatus = RunStatus.COMPLETED, round: int = 1) -> None:
        """End these users' runs, with all that follows."""
        ids = [child_run_id(self.parent_id, user, round) for user in users]
        claimed = await self.store.claim(ids, "runner-1", LEASE_SECONDS)
        assert len(claimed) == len(ids)
        error = RunError("model_refused", "No.") if status is RunStatus.FAILED else None
        for run in claimed:
            claim = Claim(run["_id"], run["attempt"], "runner-1")
            commit = Commit(
                claim, status, self.clock.now, Usage(1, 1, 1), "{}", error=error, tally={"queries_executed": 2}
            )
            assert await self.store.write_fenced([commit]) == [True]
        await self.aftermath.follow(list((await self.store.load(ids)).values()))

    async def sweep(self, after: timedelta = timedelta(0)) -> None:
        self.clock.now += after
        await self.batches.sweep()
        await self.runs.sweep()


@pytest.fixture
def bench(mongo: Mongo, publisher: Publisher, client: Client) -> Batching:
    bench = Batching(mongo, publisher, client)
    bench.configuration.replace_agents([a_version(SPEC)])
    return bench


async def test_a_batch_starts_so_many_at_a_time_and_completes_with_what_failed(bench: Batching) -> None:
    parent = await bench.begin()
    assert (parent["waiting_for"]["what"], parent["slots"], parent["queue_expires_at"]) == (Waiting.CHILDREN, [], None)

    await bench.sweep()
    assert await bench.children() == {"ada": "queued", "bob": "queued"}
    assert await bench.admitted() == {child_run_id(bench.parent_id, user, 1) for user in ("ada", "bob")}

    await bench.finish("ada")
    await bench.sweep(SECOND)
    assert await bench.children() == {"ada": "completed", "bob": "queued", "cyd": "queued"}
    assert (await bench.parent())["waiting_for"]["detail"] == "1 of 3 users are done"

    await bench.finish("bob", status=RunStatus.FAILED)
    await bench.finish("cyd")
    await bench.sweep(SECOND)
    ended = await bench.parent()
    assert (ended["status"], ended["waiting_for"]) == ("completed", None)
    output = orjson.loads(ended["output_json"])
    assert (output["users_processed"], output["queries_executed"], output["partial"]) == (3, 6, True)
    assert output["errors"] == [{"user": "bob", "code": "model_refused", "detail": "No."}]
    await bench.runs.sweep()
    assert "sweep_at" not in await bench.parent()


async def test_after_a_crash_and_beside_another_leader_every_user_has_one_run(bench: Batching) -> None:
    parent = await bench.begin()
    # One leader stored a run and was gone before it let it go; two others look at once.
    await bench.store.add_children([child_document(parent, "ada", bench.clock.now)])
    again = await bench.store.add_children([child_document(parent, user, bench.clock.now) for user in ("ada", "bob")])
    assert [child["user"] for child in again] == ["bob"]

    await bench.sweep()
    await bench.sweep(timedelta(seconds=40))

    assert sorted(await bench.children()) == ["ada", "bob"]
    assert len(await bench.admitted()) == 2


async def test_the_end_of_a_run_that_nobody_told_is_found_by_the_sweep(bench: Batching) -> None:
    await bench.begin()
    await bench.sweep()
    for user in ("ada", "bob"):
        claim = Claim(child_run_id(bench.parent_id, user, 1), 1, "runner-1")
        await bench.store.claim([claim.run_id], "runner-1", LEASE_SECONDS)
        await bench.store.write_fenced([Commit(claim, RunStatus.COMPLETED, bench.clock.now, Usage(), "{}")])

    await bench.sweep(timedelta(seconds=6))
    await bench.sweep(timedelta(seconds=1))

    assert await bench.children() == {"ada": "completed", "bob": "completed", "cyd": "queued"}


async def test_cancelling_a_batch_ends_its_runs_and_starts_no_more(bench: Batching) -> None:
    await bench.begin()
    await bench.sweep()
    running = child_run_id(bench.parent_id, "bob", 1)
    await bench.store.claim([running], "runner-1", LEASE_SECONDS)

    await bench.store.cancel({"_id": bench.parent_id}, Cancel("olga", bench.clock.now, "enough"))
    await bench.sweep(SECOND)
    await bench.sweep(timedelta(seconds=40))

    assert await bench.children() == {"ada": "cancelled", "bob": "running"}
    wish = (await bench.store.load([running]))[running]["cancel"]
    assert (wish["requested_by"], wish["reason"]) == ("olga", "enough")


async def test_a_batch_that_is_cancelled_while_its_next_runs_are_stored_ends_them(bench: Batching) -> None:
    parent = await bench.begin()
    await bench.store.cancel({"_id": bench.parent_id}, Cancel("olga", bench.clock.now))

    await bench.batches._start(parent, ["ada"])

    assert await bench.children() == {"ada": "cancelled"}


async def test_resuming_runs_those_again_that_did_not_complete_and_once(bench: Batching) -> None:
    await bench.begin()
    await bench.sweep()
    await bench.finish("ada")
    await bench.finish("bob", status=RunStatus.FAILED)
    await bench.store.cancel({"_id": bench.parent_id}, Cancel("olga", bench.clock.now))
    await bench.sweep(SECOND)
    ended = await bench.parent()

    assert await bench.store.resume_batch(ended, bench.clock.now)
    assert not await bench.store.resume_batch(ended, bench.clock.now)
    await bench.sweep(SECOND)
    await bench.finish("bob", "cyd", round=2)
    await bench.sweep(SECOND)

    ended = await bench.parent()
    assert (ended["status"], ended["batch"]["round"], ended["batch"]["progress"]["partial"]) == ("completed", 2, False)
    assert len(await bench.store.children_of(bench.parent_id)) == 4


async def test_a_batch_that_the_recorded_decision_does_not_name_ends_without_a_run(bench: Batching) -> None:
    await bench.begin(is_recorded=False)

    await bench.sweep()

    assert (await bench.parent())["status"] == "cancelled"
    assert await bench.children() == {}


async def test_a_run_of_a_batch_is_decided_by_that_of_its_batch(bench: Batching) -> None:
    parent = await bench.begin()
    child = child_document(parent, "ada", bench.clock.now)
    (event,) = (await bench.accepted.load([parent["event_key"]])).values()

    def hindered(run: Document) -> Any:
        return obstacle(run, event, a_version(SPEC), ["noop"], bench.configuration, bench.clock.now)

    assert hindered(child) is None
    assert isinstance(hindered({**child, "parent_id": "run_other"}), Refused)


async def test_a_batch_and_its_runs_are_kept_and_deleted_together(bench: Batching, mongo: Mongo) -> None:
    await bench.begin()
    await bench.sweep()
    await bench.finish("ada")
    old = bench.clock.now + SECOND
    retention = Retention(mongo.database)

    async def delete(before: Any) -> int:
        return sum([await retention.delete_runs(batch, before) async for batch in retention.ended_runs(before, 10)])

    assert await delete(old) == 0

    await bench.sweep(timedelta(minutes=1))
    await bench.finish("bob", "cyd")
    await bench.sweep(SECOND)
    await bench.runs.sweep()
    assert await delete(old) == 0
    assert await delete(bench.clock.now + SECOND) == 4
