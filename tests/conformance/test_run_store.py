"""What every store of runs and slots does: the fake in memory, and the real one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.lanes import Lane
from shared.domain.run import TERMINAL, Claim, RunError, RunStatus, Usage, Waiting
from shared.domain.session import session_key
from shared.domain.slot import Slot
from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provision import provision_store
from shared.store.run_documents import Admitted, Commit, NewRun, Return, Wait, run_document, waiting_document
from shared.store.run_ends import Cancel, CancelResult, RunEnds
from shared.store.run_queue import RunQueue
from shared.store.runs import RunStore
from shared.store.slots import Held, SlotStore
from shared.testing.runs import KeptRuns
from shared.testing.slots import KeptSlots
from tests.conformance.run_life.crew import GivenClock
from tests.conformance.run_life.stores import ClockedRuns
from tests.support.duration import LONG
from tests.support.servers import RunningServer
from tests.unit.shared.given import NOW, Document, a_new_run

LEASE_SECONDS = 30.0
ERROR = RunError("model_unavailable", "It hung up.")
LOST = RunError("runner_lost", "It went away.")
TOKENS = ("claim", "taken_over", "redrive")

IDS_OF_ALL = ("run_1", "run_2", "run_3", "run_4")
IDS = st.sampled_from(IDS_OF_ALL)
SOME_IDS = st.lists(IDS, min_size=1, max_size=4, unique=True)
OWNERS = st.sampled_from(["runner-1", "runner-2"])
ATTEMPTS = st.integers(0, 2)
CLAIMS = st.builds(Claim, IDS, ATTEMPTS, OWNERS)
KEYS = st.sampled_from(["narrow", "wide", session_key("acme", "chat")])
USED = Usage(12, 7, 1)


Call = Callable[[RunStore, SlotStore, GivenClock], Awaitable[Any]]


def _new(run_id: str, seconds: float | None, *, waits: bool) -> NewRun:
    """Return a run of its own time and lane, which may wait for the narrow slot."""
    number = int(run_id[-1])
    at = NOW + timedelta(milliseconds=number)
    return a_new_run(
        run_id,
        queued_at=at,
        lane=list(Lane)[number % 3],
        slots=("narrow", "wide"),
        waiting_for=waiting_document(Waiting.TARGET, at, key="narrow") if waits else None,
        queue_timeout_seconds=None if seconds is None else int(seconds),
        run_timeout_seconds=None if seconds is None else int(seconds) * 2,
    )


def _added(ids: list[str], seconds: float | None, waits: bool) -> Call:
    return lambda runs, _, __: runs.add([_new(each, seconds, waits=waits) for each in ids])


def _written(claims: list[Claim], status: RunStatus, spent: Usage | None, only_if_wanted: bool) -> Call:
    error = None if status is RunStatus.COMPLETED else ERROR
    return lambda runs, _, clock: runs.write_fenced(
        [
            Commit(
                claim, status, clock(), USED, "{}", error=error, spent_after_cancel=spent, only_if_wanted=only_if_wanted
            )
            for claim in claims
        ]
    )


def _returned(claims: list[Claim], error: RunError | None, seconds: float | None, key: str | None) -> Call:
    def waiting(clock: GivenClock) -> Document | None:
        if seconds is None and key is None:
            return None
        until = None if seconds is None else clock() + timedelta(seconds=seconds)
        return waiting_document(Waiting.RETRY, clock(), until=until, key=key)

    return lambda runs, _, clock: runs.write_fenced(
        [Return(claim, clock(), USED, error, waiting(clock)) for claim in claims]
    )


def _admitted(ids: list[str], attempt: int, is_express: bool) -> Call:
    return lambda runs, _, clock: runs.admit([Admitted(each, attempt, ("wide",), is_express) for each in ids], clock())


def _waits(ids: list[str], attempt: int, key: str) -> Call:
    return lambda runs, _, clock: runs.wait(
        [Wait(each, attempt, ("narrow",), waiting_document(Waiting.AGENT, clock(), key=key)) for each in ids], clock()
    )


async def _in_order(found: Awaitable[list[Document]]) -> list[tuple[str, list[str]]]:
    """Return the ids of runs that were found, in their order, with the names of their fields."""
    return [(run["_id"], sorted(run)) for run in await found]


async def _sorted(found: Awaitable[list[str]]) -> list[str]:
    return sorted(await found)


def _freed(places: dict[str, list[str]]) -> Call:
    return lambda _, slots, __: _sorted(slots.free(places))


SECONDS = st.sampled_from([0.5, 20.0, 100.0])
CALLS: dict[str, st.SearchStrategy[Call]] = {
    "add": st.builds(_added, SOME_IDS, st.none() | SECONDS, st.booleans()),
    "claim": st.builds(lambda ids, owner: lambda runs, _, __: runs.claim(ids, owner, LEASE_SECONDS), SOME_IDS, OWNERS),
    "claim_untouched": st.builds(
        lambda ids, owner: (
            lambda runs, _, clock: runs.claim_untouched(
                [run_document(_new(each, None, waits=False)) for each in ids], owner, LEASE_SECONDS, clock()
            )
        ),
        SOME_IDS,
        OWNERS,
    ),
    "extend_leases": st.builds(
        lambda claims, owner: lambda runs, _, __: runs.extend_leases(claims, owner, LEASE_SECONDS),
        st.lists(CLAIMS, max_size=3, unique_by=lambda claim: claim.run_id),
        OWNERS,
    ),
    "write_fenced": st.builds(
        _written,
        st.lists(CLAIMS, max_size=3, unique_by=lambda claim: claim.run_id),
        st.sampled_from(sorted(TERMINAL)),
        st.none() | st.just(USED),
        st.booleans(),
    )
    | st.builds(
        _returned,
        st.lists(CLAIMS, max_size=3, unique_by=lambda claim: claim.run_id),
        st.sampled_from([None, ERROR, LOST]),
        st.none() | SECONDS,
        st.none() | KEYS,
    ),
    "settle": st.builds(lambda ids: lambda runs, _, __: runs.settle(ids), SOME_IDS),
    "load": st.builds(lambda ids: lambda runs, _, __: runs.load(ids), SOME_IDS),
    "known": st.builds(lambda ids: lambda runs, _, __: runs.known(ids), SOME_IDS),
    "find": st.builds(
        lambda status, limit: (
            lambda runs, _, clock: _in_order(
                runs.find(
                    {"$and": [{"organisation": "acme", "status": {"$in": status}}, {"changed_at": {"$lt": clock()}}]},
                    limit,
                )
            )
        ),
        st.lists(st.sampled_from(list(RunStatus))),
        st.integers(1, 3),
    ),
    "counts": st.builds(
        lambda statuses, limit: lambda runs, _, __: runs.counts([{"status": each} for each in statuses], limit),
        st.lists(st.sampled_from(list(RunStatus)), min_size=1, max_size=3),
        st.integers(1, 3),
    ),
    "due_for_sweep": st.builds(
        lambda seconds: lambda runs, _, clock: runs.due_for_sweep(clock() + timedelta(seconds=seconds), 10), SECONDS
    ),
    "sweep_dispatched_at": st.just(lambda runs, _, clock: runs.sweep_dispatched_at(clock())),
    "sweep_again_at": st.builds(
        lambda ids: lambda runs, _, clock: runs.sweep_again_at([(each, clock()) for each in ids]), SOME_IDS
    ),
    "waiting_under": st.builds(
        lambda key, limit, last: lambda runs, _, __: _in_order(runs.waiting_under(key, limit, least_urgent_first=last)),
        KEYS,
        st.integers(1, 3),
        st.booleans(),
    ),
    "waiting_for_sessions": st.just(lambda runs, _, __: _in_order(runs.waiting_for_sessions(10))),
    "waiting_ahead": st.builds(
        lambda number, key: (
            lambda runs, _, __: runs.waiting_ahead(
                {"rank": 1, "queued_at": NOW + timedelta(milliseconds=number), "waiting_for": {"key": key}}, 2
            )
        ),
        st.integers(0, 5),
        KEYS,
    ),
    "keys_waited_under": st.just(lambda runs, _, __: runs.keys_waited_under()),
    "holding": st.builds(
        lambda seconds: lambda runs, _, clock: runs.holding(clock() + timedelta(seconds=seconds), 10), SECONDS
    ),
    "admit": st.builds(_admitted, SOME_IDS, ATTEMPTS, st.booleans()),
    "wait": st.builds(_waits, SOME_IDS, ATTEMPTS, KEYS),
    "fail_queued": st.builds(
        lambda ids: lambda runs, _, clock: runs.fail_queued([(each, ERROR) for each in ids], clock()), SOME_IDS
    ),
    "take_over": st.builds(lambda ids: lambda runs, _, clock: runs.take_over(ids, clock()), SOME_IDS),
    "take_over_from": st.builds(lambda owner: lambda runs, _, clock: runs.take_over_from(owner, clock()), OWNERS),
    "cancel": st.builds(
        lambda ids: lambda runs, _, clock: runs.cancel({"_id": {"$in": ids}}, Cancel("ada", clock(), "No need.")),
        SOME_IDS,
    ),
    "cancelling": st.builds(
        lambda claims: lambda runs, _, __: runs.cancelling(claims),
        st.lists(CLAIMS, max_size=3, unique_by=lambda claim: claim.run_id),
    ),
    "redrive": st.builds(lambda ids: lambda runs, _, clock: runs.redrive(ids, clock()), SOME_IDS),
}
SLOT_CALLS: dict[str, st.SearchStrategy[Call]] = {
    "take": st.builds(
        lambda key, limit, reserve, ids: (
            lambda _, slots, __: slots.take(Slot(key, Waiting.AGENT, f"${key}", limit, reserve), ids)
        ),
        KEYS,
        st.integers(0, 3),
        st.integers(0, 2),
        SOME_IDS,
    ),
    "take_each": st.builds(
        lambda wanted, limit: (
            lambda _, slots, __: slots.take_each(
                {Slot(key, Waiting.AGENT, f"${key}", limit): ids for key, ids in wanted.items()}
            )
        ),
        st.dictionaries(KEYS, SOME_IDS, min_size=1),
        st.integers(0, 3),
    ),
    "free": st.builds(_freed, st.dictionaries(KEYS, SOME_IDS)),
    "load": st.builds(lambda keys: lambda _, slots, __: slots.load(keys), st.lists(KEYS, unique=True)),
    "wanted": st.just(lambda _, slots, __: _sorted(slots.wanted())),
    "all": st.just(lambda _, slots, __: slots.all()),
    "want": st.builds(
        lambda keys, is_wanted: lambda _, slots, __: slots.want(keys, is_wanted=is_wanted),
        st.lists(KEYS, unique=True),
        st.booleans(),
    ),
    "mend": st.builds(
        lambda gone, missing: lambda _, slots, __: slots.mend(gone, missing),
        st.lists(st.tuples(KEYS, SOME_IDS), max_size=2),
        st.lists(st.tuples(KEYS, SOME_IDS), max_size=2),
    ),
    "forget_empty": st.just(lambda _, slots, __: slots.forget_empty()),
}


@pytest.fixture
def both(mongo_server: RunningServer, mongo_database: str) -> Iterator[tuple[asyncio.Runner, Mongo]]:
    with asyncio.Runner() as loop:
        mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
        loop.run(provision_store(mongo.database))
        yield loop, mongo
        mongo.close()


@pytest.mark.parametrize(
    ("kept", "real", "calls"),
    [(KeptRuns, (RunStore, RunQueue, RunEnds), CALLS), (KeptSlots, (SlotStore,), SLOT_CALLS)],
)
def test_the_fake_does_everything_itself_and_all_of_it_is_compared(
    kept: type, real: tuple[type, ...], calls: dict[str, Any]
) -> None:
    public = {name for cls in real for name in vars(cls) if not name.startswith("_")}

    assert public == set(calls)
    assert [name for name in public if any(getattr(kept, name) is vars(cls).get(name) for cls in real)] == []


@pytest.mark.timeout(600)
def test_whatever_is_asked_of_it_the_fake_answers_and_keeps_what_the_real_store_does(
    both: tuple[asyncio.Runner, Mongo],
) -> None:
    loop, mongo = both
    usual = [CALLS[name] for name in ("claim", "claim", "write_fenced", "write_fenced", "admit")]
    anything = st.one_of(SECONDS, *CALLS.values(), *SLOT_CALLS.values(), *usual)
    calls = st.lists(anything, min_size=20, max_size=40)

    @settings(
        max_examples=200 if LONG else 30,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(calls=calls)
    def compared(calls: list[Call | float]) -> None:
        loop.run(_compare(mongo, calls))

    compared()


async def _compare(mongo: Mongo, calls: list[Call | float]) -> None:
    """Do the same with the fake and with the real stores, and compare every answer and what is stored in the end."""
    for name in ("runs", "slots"):
        await mongo.database[name].delete_many({})
    clock = GivenClock()
    kept, kept_slots = KeptRuns(clock), KeptSlots()
    real, real_slots = ClockedRuns(mongo.database, clock), SlotStore(mongo.database)
    for runs in (kept, real):
        await runs.add([_new(each, None, waits=each == "run_4") for each in IDS_OF_ALL])
    for call in calls:
        clock.advance(0.001)
        if isinstance(call, float):
            clock.advance(call)
            continue
        assert _plain(await call(kept, kept_slots, clock)) == _plain(await call(real, real_slots, clock))
    assert _plain(await kept.load(IDS_OF_ALL)) == _plain(await real.load(IDS_OF_ALL))
    assert _plain(await kept_slots.all()) == _plain(await real_slots.all())


def _plain(answer: Any) -> Any:
    """Return the answer without what is drawn anew each time, and without an order where there is none."""
    match answer:
        case dict():
            return {name: _plain(each) for name, each in answer.items() if name not in TOKENS and name != "token"}
        case list() if all(isinstance(each, dict) and "_id" in each for each in answer):
            return {each["_id"]: _plain(each) for each in answer}
        case list() if all(isinstance(each, Held) for each in answer):
            return {each.key: each for each in answer}
        case CancelResult():
            return answer.cancelled, set(answer.cancelling), _plain(list(answer.requeued))
        case list():
            return [_plain(each) for each in answer]
        case _:
            return answer
