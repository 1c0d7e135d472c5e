"""The life of runs on the real store, against a simple model of it, in whatever order things happen."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shared.domain.run import TERMINAL, Claim, RunError, RunStatus, Usage, Waiting
from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provision import provision_store
from shared.store.run_documents import Commit, Return
from shared.store.runs import RunStore
from tests.integration.store.given import LEASE_SECONDS, LONG_AGO
from tests.support.servers import RunningServer
from tests.unit.shared.given import LATER, Document, a_new_run

IDS = ("run_1", "run_2", "run_3", "run_4")
SOME_IDS = st.just(frozenset(IDS)) | st.frozensets(st.sampled_from(IDS), min_size=1)
OWNERS = st.sampled_from(["runner-1", "runner-2"])
ENDS = st.sampled_from(sorted(TERMINAL))
ERROR = RunError("model_unavailable", "It hung up.")

Answer = TypeVar("Answer")


@dataclass
class Expected:
    """What the model knows of one run."""

    status: RunStatus = RunStatus.QUEUED
    attempt: int = 0
    owner: str | None = None
    is_waiting: bool = False
    is_expired: bool = False

    def is_free(self) -> bool:
        if self.status is RunStatus.QUEUED:
            return not self.is_waiting
        return self.status is RunStatus.RUNNING and self.is_expired

    def is_held_by(self, claim: Claim) -> bool:
        return self.status is RunStatus.RUNNING and (self.attempt, self.owner) == (claim.attempt, claim.owner)

    def queue(self, *, is_waiting: bool = False) -> None:
        self.status, self.owner, self.is_waiting, self.is_expired = RunStatus.QUEUED, None, is_waiting, False


@dataclass
class World:
    """One database for all examples, on one event loop."""

    runner: asyncio.Runner
    mongo: Mongo
    seen: dict[str, Document] = field(default_factory=dict)

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        return self.runner.run(work)


class RunLife(RuleBasedStateMachine):
    """Two runners, a sweeper and a clock, over a few runs."""

    world: World
    claims: Bundle[Claim] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[str, Expected] = {}
        self.before: dict[str, Document] = {}
        self.runs = RunStore(self.world.mongo.database)
        self.collection = self.world.mongo.database["runs"]
        self.do(self.collection.delete_many({}))

    def do(self, work: Any) -> Any:
        async def awaited() -> Any:
            return await work

        return self.world.do(awaited())

    @initialize()
    def begin(self) -> None:
        self.add(frozenset(IDS[1:]))

    @rule(ids=SOME_IDS)
    def add(self, ids: frozenset[str]) -> None:
        existing = self.do(self.runs.add([a_new_run(each) for each in sorted(ids)]))

        assert existing == ids & self.expected.keys()
        for each in ids - self.expected.keys():
            self.expected[each] = Expected()

    @rule(target=claims, ids=SOME_IDS, owner=OWNERS)
    def claim(self, ids: frozenset[str], owner: str) -> Any:
        return self._claim(ids, owner)

    @rule(target=claims, claim=claims, owner=OWNERS)
    def run_is_taken_over(self, claim: Claim, owner: str) -> Any:
        self._expire(frozenset({claim.run_id}))
        return self._claim(frozenset({claim.run_id}), owner)

    def _claim(self, ids: frozenset[str], owner: str) -> Any:
        won = self.do(self.runs.claim(sorted(ids), owner, LEASE_SECONDS))

        free = {each for each in ids & self.expected.keys() if self.expected[each].is_free()}
        assert {run["_id"] for run in won} == free
        for run in won:
            before = self.expected[run["_id"]]
            self.expected[run["_id"]] = Expected(RunStatus.RUNNING, before.attempt + 1, owner)
        return multiple(*(Claim(run["_id"], run["attempt"], owner) for run in won))

    @rule(held=st.lists(claims, min_size=1, max_size=3, unique=True))
    def beat(self, held: list[Claim]) -> None:
        owner = held[0].owner
        mine = [each for each in held if each.owner == owner]

        lost = self.do(self.runs.extend_leases(mine, owner, LEASE_SECONDS))

        assert lost == [each for each in mine if not self.expected[each.run_id].is_held_by(each)]
        for each in mine:
            if each not in lost:
                self.expected[each.run_id].is_expired = False

    @rule(ids=SOME_IDS)
    def time_passes_beyond_the_lease(self, ids: frozenset[str]) -> None:
        self._expire(ids)

    def _expire(self, ids: frozenset[str]) -> None:
        changes = {"$set": {"lease_expires_at": LONG_AGO, "sweep_at": LONG_AGO}}
        self.do(self.collection.update_many({"_id": {"$in": sorted(ids)}, "status": RunStatus.RUNNING}, changes))
        for each in ids & self.expected.keys():
            self.expected[each].is_expired = self.expected[each].status is RunStatus.RUNNING

    @rule(claim=claims, status=ENDS)
    def commit(self, claim: Claim, status: RunStatus) -> None:
        end = Commit(claim, status, LATER, Usage(), error=None if status is RunStatus.COMPLETED else ERROR)
        run = self.expected[claim.run_id]
        is_repeated = run.status is status and (run.attempt, run.owner) == (claim.attempt, claim.owner)
        is_held = run.is_held_by(claim)

        assert self.do(self.runs.write_fenced([end])) == [is_held or is_repeated]

        if is_held:
            run.status = status

    @rule(claim=claims, is_waiting=st.booleans())
    def give_back(self, claim: Claim, is_waiting: bool) -> None:
        at = datetime.now(UTC)
        back = Return(claim, at.replace(microsecond=0), Usage(), ERROR, Waiting.RETRY if is_waiting else None, LATER)
        run = self.expected[claim.run_id]
        is_held = run.is_held_by(claim)

        written = self.do(self.runs.write_fenced([back]))

        # A second return in the same moment cannot be told from the first one; it changes nothing either way.
        is_repeated = run.status is RunStatus.QUEUED and run.attempt == claim.attempt
        assert written == [True] if is_held else written in ([False], [is_repeated])
        if is_held:
            run.queue(is_waiting=is_waiting)

    @rule(id_=st.sampled_from(IDS))
    def release(self, id_: str) -> None:
        self.do(self.runs.release([(id_, LATER)]))
        if id_ in self.expected and self.expected[id_].status is RunStatus.QUEUED:
            self.expected[id_].is_waiting = False

    @rule(id_=st.sampled_from(IDS), is_last=st.booleans())
    def sweep(self, id_: str, is_last: bool) -> None:
        seen = self.before.get(id_)
        if seen is None:
            return
        end = self.runs.fail_lost if is_last else self.runs.requeue_lost
        run = self.expected[id_]
        is_lost = run.status is RunStatus.RUNNING and run.is_expired

        assert self.do(end(seen, LATER, ERROR)) == is_lost

        if is_lost and is_last:
            run.status, run.owner = RunStatus.FAILED, None
        elif is_lost:
            run.queue()

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        stored = {run["_id"]: run for run in self.do(self.collection.find({}).to_list(None))}

        assert stored.keys() == self.expected.keys()
        for id_, run in stored.items():
            expected = self.expected[id_]
            assert (run["status"], run["attempt"], run.get("owner")) == (
                expected.status,
                expected.attempt,
                expected.owner,
            )
            assert (run["waiting_for"] is not None) == expected.is_waiting
            assert ("lease_expires_at" in run) == (expected.status is RunStatus.RUNNING)
            self._never_goes_back(id_, run)
        self.before = stored

    def _never_goes_back(self, id_: str, run: Document) -> None:
        before = self.before.get(id_)
        if before is None:
            return
        assert run["attempt"] >= before["attempt"]
        assert run["failures"] >= before["failures"]
        if before["status"] in TERMINAL:
            assert run == before


@pytest.mark.timeout(180)
def test_whatever_happens_a_run_has_one_holder_and_one_end(mongo_server: RunningServer, mongo_database: str) -> None:
    with asyncio.Runner() as runner:
        mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
        runner.run(provision_store(mongo.database))
        RunLife.world = World(runner, mongo)
        few = settings(
            max_examples=80, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        run_state_machine_as_test(RunLife, settings=few)
        mongo.close()
