"""The life of runs in whatever order things happen, wherever a process stops: in memory and on the real server."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.clock import Clock
from shared.domain.run import (
    TERMINAL,
    Cancelled,
    Done,
    Outcome,
    RetryAfter,
    RunStatus,
    Waiting,
)
from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provision import provision_store
from shared.store.run_documents import NewRun, waiting_document
from tests.conformance.run_life import promises
from tests.conformance.run_life.crew import LEASE_SECONDS, Crew, End, GivenClock, Held, Outside
from tests.conformance.run_life.plans import (
    DELAY_SECONDS,
    DELAYED,
    ENDS_AS,
    FEW_IDS,
    IMPATIENT,
    OUTCOMES,
    OWNERS,
    QUEUE_SECONDS,
    ROUND_SECONDS,
    ROUNDS,
    RUNS,
    SLOTS,
    SOME_IDS,
    SOME_STOPS,
    STEPS_SECONDS,
    STOPS,
)
from tests.conformance.run_life.process import Stop, Stopped
from tests.conformance.run_life.stores import KeptStores, MongoStores, Stores
from tests.support.duration import LONG
from tests.support.servers import RunningServer
from tests.unit.shared.given import Document, a_memory_effect

Answer = TypeVar("Answer")


@dataclass
class World:
    """Where the examples happen, one after the other, on one event loop."""

    loop: asyncio.Runner
    begin: Callable[[Clock], Coroutine[Any, Any, Stores]]


class RunLife(RuleBasedStateMachine):
    """A gate, two runners, a scheduler, an admin and a clock, over a few runs that compete for places."""

    world: World
    claims: Bundle[Held] = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.clock = GivenClock()
        self.outside = Outside()
        self.stores = self.world.loop.run(self.world.begin(self.clock))
        self.crews: dict[str, Crew] = {}
        self.looking = self.crew("nobody")
        self.before: dict[str, Document] = {}
        self.claimed: set[tuple[str, int]] = set()
        self.marks: dict[int, Held] = {}
        self.stopped: list[Stopped[Any]] = []
        self.may_stop = True

    def crew(self, role: str) -> Crew:
        return self.crews.setdefault(role, Crew(self.stores, self.outside, self.clock))

    def do(self, role: str, work: Callable[[Crew], Coroutine[Any, Any, Answer]], stop: Stop | None) -> Answer | None:
        """Have a process do something; one that stops is replaced by another. Return what came of it, if anything."""
        self.clock.advance(0.001)
        crew = self.crew(role)
        answer = self.world.loop.run(crew.process.run(work(crew), stop if self.may_stop else None))
        if isinstance(answer, Stopped):
            del self.crews[role]
            self.stopped.append(answer)
            return None
        return answer

    @initialize(may_stop=st.booleans(), ids=SOME_IDS)
    def begin(self, may_stop: bool, ids: frozenset[str]) -> None:
        self.may_stop = may_stop
        self.gate(ids, None)

    def some(self, holds: Callable[[Document], bool]) -> bool:
        """Return whether this holds of a run."""
        return any(map(holds, self.before.values()))

    @precondition(lambda self: len(self.before) < len(RUNS) or self.stopped)
    @rule(ids=SOME_IDS, stop=STOPS)
    def gate(self, ids: frozenset[str], stop: Stop | None) -> None:
        wanted = [self._wanted(RUNS[each]) for each in sorted(ids)]

        self.do("gate", lambda crew: crew.gate(wanted), stop)

    def _wanted(self, run: NewRun) -> NewRun:
        if run.id != DELAYED:
            return run
        now = self.clock()
        until = now + timedelta(seconds=DELAY_SECONDS)
        return replace(run, waiting_for=waiting_document(Waiting.DELAY, now, until=until))

    @precondition(lambda self: self.some(_is_open))
    @rule(target=claims, ids=SOME_IDS, owner=OWNERS, stop=STOPS)
    def take(self, ids: frozenset[str], owner: str, stop: Stop | None) -> Any:
        won = self.do(owner, lambda crew: crew.take(sorted(ids), owner), stop)

        if won is None:
            return multiple()
        free = {each for each in ids & self.before.keys() if promises.is_free(self.before[each], self.clock())}
        assert {each.claim.run_id for each in won} == free
        return self._noted(won)

    def _noted(self, won: list[Held]) -> Any:
        stored = self.stored()
        assert {each.claim.run_id: each.run for each in won} == {
            each.claim.run_id: stored[each.claim.run_id] for each in won
        }
        for each in won:
            claim = (each.claim.run_id, each.claim.attempt)
            assert claim not in self.claimed
            self.claimed.add(claim)
        return multiple(*won)

    @precondition(lambda self: self.some(_is_open))
    @rule(owner=OWNERS, outcome=OUTCOMES, stop=STOPS)
    def work(self, owner: str, outcome: Outcome | None, stop: Stop | None) -> None:
        """Take what is free, and end it all alike."""
        won = self.do(owner, lambda crew: crew.take(sorted(RUNS), owner), None) or []
        self._noted(won)
        ends = [self._end(each, outcome) for each in won]
        if ends:
            self.do(owner, lambda crew: crew.end(ends), stop)

    @rule(held=st.lists(claims, min_size=1, max_size=3, unique_by=lambda held: held.claim), stop=STOPS)
    def beat(self, held: list[Held], stop: Stop | None) -> None:
        owner = held[0].claim.owner
        mine = [each.claim for each in held if each.claim.owner == owner]

        lost = self.do(owner, lambda crew: crew.runs.extend_leases(mine, owner, LEASE_SECONDS), stop)

        if lost is not None:
            assert lost == [each for each in mine if not promises.stands(each, self.before[each.run_id])]

    @rule(
        held=st.lists(claims, min_size=1, max_size=3, unique_by=lambda held: held.claim.run_id),
        outcome=OUTCOMES,
        stop=STOPS,
    )
    def end(self, held: list[Held], outcome: Outcome | None, stop: Stop | None) -> None:
        ends = [self._end(each, outcome) for each in held]

        self.do(held[0].claim.owner, lambda crew: crew.end(ends), stop)

        if not self.stopped:
            now = self.stored()
            for each in ends:
                self._ended(each, self.before[each.held.claim.run_id], now[each.held.claim.run_id])

    def _end(self, held: Held, outcome: Outcome | None) -> End:
        mark = len(self.marks) + 1
        self.marks[mark] = held
        if isinstance(outcome, Done):
            outcome = replace(outcome, effects=(a_memory_effect() | {"title": f"attempt {held.claim.attempt}"},))
        return End(held, outcome, mark)

    def _ended(self, end: End, before: Document, now: Document) -> None:
        outcome = end.outcome
        is_wanted = before["cancel"] is not None
        if not promises.stands(end.held.claim, before):
            assert now.get("usage") == before.get("usage")
        elif is_wanted and outcome is not None:
            assert now["status"] == RunStatus.CANCELLED
        elif is_wanted or (isinstance(outcome, Cancelled) and outcome.only_if_wanted):
            assert now["status"] == RunStatus.RUNNING
        else:
            assert now["status"] == ENDS_AS.get(type(outcome), RunStatus.QUEUED)
            assert now["failures"] - before["failures"] == isinstance(outcome, RetryAfter)

    @rule(stop=STOPS)
    def sweep(self, stop: Stop | None) -> None:
        self.do("scheduler", lambda crew: crew.sweep(), stop)

    @precondition(lambda self: self.may_stop)
    @rule(stop=SOME_STOPS, owner=OWNERS, outcome=OUTCOMES, ids=FEW_IDS, is_cancelled=st.booleans())
    def a_sweep_is_overtaken(
        self, stop: Stop, owner: str, outcome: Outcome | None, ids: frozenset[str], is_cancelled: bool
    ) -> None:
        """While a scheduler stands still in its sweep, another one sweeps, runs end, or somebody cancels some."""
        self.sweep(stop)
        self.sweep(None)
        self.work(owner, outcome, None)
        if is_cancelled:
            self.cancel(ids, None)
        self.every_promise_is_kept()
        if self.stopped:
            self.a_process_goes_on(len(self.stopped) - 1)

    @rule(stop=STOPS)
    def compare(self, stop: Stop | None) -> None:
        self.do("scheduler", lambda crew: crew.compare(), stop)

    @precondition(lambda self: self.some(lambda run: run["status"] == RunStatus.RUNNING))
    @rule(owner=OWNERS, stop=STOPS)
    def a_runner_is_gone(self, owner: str, stop: Stop | None) -> None:
        self.do("scheduler", lambda crew: crew.take_over_from(owner), stop)

        if not self.stopped:
            assert [run for run in self.stored().values() if promises.is_held_by(run, owner)] == []

    @precondition(lambda self: self.some(_is_open))
    @rule(ids=FEW_IDS, stop=STOPS)
    def cancel(self, ids: frozenset[str], stop: Stop | None) -> None:
        self.do("admin", lambda crew: crew.cancel({"_id": {"$in": sorted(ids)}}), stop)

        if not self.stopped:
            now = self.stored()
            for each in ids & self.before.keys():
                assert now[each]["status"] in TERMINAL or now[each]["cancel"] is not None

    @precondition(lambda self: self.some(lambda run: run["status"] == RunStatus.FAILED))
    @rule(ids=SOME_IDS, stop=STOPS)
    def redrive(self, ids: frozenset[str], stop: Stop | None) -> None:
        redriven = self.do("admin", lambda crew: crew.redrive(sorted(ids)), stop)

        if redriven is not None:
            failed = {each for each in ids & self.before.keys() if self.before[each]["status"] == RunStatus.FAILED}
            assert {run["_id"] for run in redriven} == failed

    @precondition(lambda self: self.some(_is_impatient))
    @rule(redriven=st.booleans())
    def nobody_takes_it_in_time(self, redriven: bool) -> None:
        """A run fails before its first attempt; queued again, it is no longer what was dispatched at first."""
        self.time_passes(QUEUE_SECONDS + 1)
        self.sweep(None)
        self.every_promise_is_kept()
        if redriven:
            self.redrive(frozenset({IMPATIENT}), None)
            self.sweep(None)
            self.every_promise_is_kept()

    @rule(seconds=STEPS_SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.stopped)
    @rule(target=claims, which=st.integers(0, 99))
    def a_process_goes_on(self, which: int) -> Any:
        answer = self.world.loop.run(self.stopped.pop(which % len(self.stopped)).go_on())
        return self._noted([each for each in answer if isinstance(each, Held)] if isinstance(answer, list) else [])

    @precondition(lambda self: self.stopped)
    @rule(which=st.integers(0, 99))
    def a_process_is_killed(self, which: int) -> None:
        self.world.loop.run(self.stopped.pop(which % len(self.stopped)).kill())

    def stored(self) -> dict[str, Document]:
        return self.world.loop.run(self.looking.runs.load(RUNS))

    @invariant()
    def every_promise_is_kept(self) -> None:
        now = self.stored()

        assert self.before.keys() <= now.keys()
        for run in now.values():
            promises.check_alone(run)
        for id_, before in self.before.items():
            promises.check_step(before, now[id_], {mark: held.claim for mark, held in self.marks.items()})
        if not self.may_stop:
            slots = self.world.loop.run(self.looking.slots.all())
            promises.check_limits(now.values(), slots, SLOTS)
            promises.check_waiting(now.values(), slots)
        self.before = now

    def teardown(self) -> None:
        if sys.exc_info()[1] is None:
            self._come_to_rest()
        for stopped in self.stopped:
            self.world.loop.run(stopped.kill())

    def _come_to_rest(self) -> None:
        while self.stopped:
            self.a_process_is_killed(0)
        self.may_stop = False
        self._compare_twice()
        promises.check_slots(self.stored().values(), self.world.loop.run(self.looking.slots.all()))
        rounds = iter(range(ROUNDS))
        while self.some(lambda run: "sweep_at" in run) and next(rounds, None) is not None:
            self._round()
        self._compare_twice()
        promises.check_rest(self.stored().values(), self.world.loop.run(self.looking.slots.all()), self.outside)

    def _compare_twice(self) -> None:
        for _ in range(2):
            self.compare(None)

    def _round(self) -> None:
        """Let a minute pass, and every part of the platform do its work; only what was dispatched is claimed."""
        self.clock.advance(ROUND_SECONDS)
        self.sweep(None)
        self.every_promise_is_kept()
        dispatched, owner = list(self.outside.dispatched), "runner-3"
        self.outside.dispatched.clear()
        won = self.do(owner, lambda crew: crew.take(dispatched, owner), None) or []
        ends = [self._end(each, Done({})) for each in won]
        self.do(owner, lambda crew: crew.end(ends), None)
        self.every_promise_is_kept()


def _is_impatient(run: Document) -> bool:
    return bool(run["_id"] == IMPATIENT and run["status"] == RunStatus.QUEUED and run["attempt"] == 0)


def _is_open(run: Document) -> bool:
    return run["status"] not in TERMINAL


@contextmanager
def quietly() -> Iterator[None]:
    """Keep what is logged away from the report: it is told a thousand times over."""
    with structlog.testing.capture_logs():
        yield


def check(
    begin: Callable[[Clock], Coroutine[Any, Any, Stores]],
    provision: Callable[[], Coroutine[Any, Any, None]] | None = None,
    *,
    examples: int,
    steps: int,
) -> None:
    """Let the machine run."""
    with asyncio.Runner() as loop, quietly():
        if provision is not None:
            loop.run(provision())
        RunLife.world = World(loop, begin)
        run_state_machine_as_test(
            RunLife,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                print_blob=True,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )


@pytest.mark.timeout(600)
def test_whatever_happens_in_memory_a_run_has_one_holder_and_one_end() -> None:
    async def begin(clock: Clock) -> Stores:
        return KeptStores(clock)

    check(begin, examples=300 if LONG else 30, steps=40)


@pytest.mark.timeout(600)
def test_whatever_happens_on_a_server_a_run_has_one_holder_and_one_end(
    mongo_server: RunningServer, mongo_database: str
) -> None:
    mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))

    async def begin(clock: Clock) -> Stores:
        for name in ("runs", "slots"):
            await mongo.database[name].delete_many({})
        return MongoStores(mongo.database, clock)

    check(begin, lambda: provision_store(mongo.database), examples=200 if LONG else 20, steps=40)
    mongo.close()
