"""MongoDB being away is one error for all stores, and comes in time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from contracts.agents import MemoryOwner, Scope
from infra.local.mongo import MongoServer
from shared.domain.binding import Binding, ScopeRef
from shared.domain.dead_letter import DeadLetter, DeadLetterKind, DeadLetterStatus
from shared.domain.memory import Owner
from shared.domain.replaying import NewReplay
from shared.domain.run import Claim, Waiting
from shared.domain.slot import Slot
from shared.errors import StorageUnavailable
from shared.settings import ServiceSettings
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.deciding import Deciding
from shared.store.events import EventStore, GatedEvent
from shared.store.leases import LeaseStore
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.memory import MemoryBlock, MemoryStore
from shared.store.memory_history import MemoryHistory, Writing
from shared.store.metrics import MetricsStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.provision import provision_store
from shared.store.replays import ReplayStore
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleStore
from shared.store.server_clock import ServerClock
from shared.store.slots import SlotStore
from shared.store.steps import Intent, StepStore
from tests.integration.store.given import accepted, completing
from tests.integration.store.proposing import made
from tests.unit.shared.given import NOW, a_new_run, a_spec, a_stored_run

TIMEOUT_SECONDS = 0.5
BLOCK = MemoryBlock("acme", Owner(MemoryOwner.USER, "ada"), "preferences", {}, 1)
LETTER = DeadLetter("dead_1", DeadLetterKind.EVENT, "event_unreadable", "Not JSON.", NOW)
A_REPLAY = NewReplay("acme", "noter", "noter", 1, "noter:1", None, "request-1", "hash", "olga", NOW)
CLAIM = Claim("run_1", 1, "runner-1")
ADA = Member("acme", "apollo", "ada")

Call = Callable[[Mongo], Awaitable[object]]
CALLS: dict[str, Call] = {
    "ping": lambda mongo: mongo.ping(),
    "replays": lambda mongo: ReplayStore(mongo).find({"organisation": "acme"}, 10),
    "start of a replay": lambda mongo: ReplayStore(mongo).start(A_REPLAY, a_spec(), [a_stored_run()]),
    "provision": lambda mongo: provision_store(mongo.database),
    "events.accept": lambda mongo: EventStore(mongo.database).accept([accepted("a")]),
    "events.record_decisions": lambda mongo: EventStore(mongo.database).record_decisions([GatedEvent("ev", [])], NOW),
    "events.load": lambda mongo: EventStore(mongo.database).load(["ev"]),
    "events.due": lambda mongo: EventStore(mongo.database).due_for_sweep(NOW, 1),
    "runs.add": lambda mongo: RunStore(mongo.database).add([a_new_run()]),
    "runs.claim": lambda mongo: RunStore(mongo.database).claim(["run_1"], "runner-1", 6),
    "runs.extend_leases": lambda mongo: RunStore(mongo.database).extend_leases([CLAIM], "runner-1", 6),
    "runs.write_fenced": lambda mongo: RunStore(mongo.database).write_fenced([completing(CLAIM)]),
    "runs.find": lambda mongo: RunStore(mongo.database).find({}, 1),
    "runs.counts": lambda mongo: RunStore(mongo.database).counts([{}], 1),
    "runs.cancel": lambda mongo: RunStore(mongo.database).cancel({"_id": "run_1"}, Cancel("olga", NOW)),
    "runs.cancelling": lambda mongo: RunStore(mongo.database).cancelling([CLAIM]),
    "runs.take_over": lambda mongo: RunStore(mongo.database).take_over(["run_1"], NOW),
    "runs.redrive": lambda mongo: RunStore(mongo.database).redrive(["run_1"], NOW),
    "runs.waiting_under": lambda mongo: RunStore(mongo.database).waiting_under("slot_1", 1),
    "slots.take": lambda mongo: SlotStore(mongo.database).take(
        Slot("slot_1", Waiting.AGENT, "noter of acme", 1), ["run_1"]
    ),
    "slots.take_each": lambda mongo: SlotStore(mongo.database).take_each(
        {Slot(key, Waiting.AGENT, "noter of acme", 3): ["run_1"] for key in ("slot_1", "slot_2")}
    ),
    "slots.free": lambda mongo: SlotStore(mongo.database).free({"slot_1": ["run_1"]}),
    "slots.all": lambda mongo: SlotStore(mongo.database).all(),
    "clock.measure": lambda mongo: ServerClock(mongo).measure(),
    "runs.settle": lambda mongo: RunStore(mongo.database).settle(["run_1"]),
    "steps.intend": lambda mongo: StepStore(mongo.database).intend(Intent(CLAIM, 0, "model_call", "deep", "hash", NOW)),
    "steps.of_run": lambda mongo: StepStore(mongo.database).of_run("run_1"),
    "dead_letters.keep": lambda mongo: DeadLetterStore(mongo.database).keep([LETTER]),
    "dead_letters.decide": lambda mongo: DeadLetterStore(mongo.database).decide(
        [{"_id": "dead_1", "kind": "event", "count": 1, "redriven": 0}],
        DeadLetterStatus.REDRIVEN,
        Deciding("ada", NOW),
    ),
    "dead_letters.find": lambda mongo: DeadLetterStore(mongo.database).find({}, 1),
    "events.set_aside": lambda mongo: mongo.transaction(
        lambda within: EventStore(mongo.database).set_aside(within, "ev", "dead_1")
    ),
    "events.take_up_again": lambda mongo: EventStore(mongo.database).take_up_again(["ev"], NOW),
    "metrics.open_runs": lambda mongo: MetricsStore(mongo.database).open_runs(),
    "proposals.approve": lambda mongo: ProposalStore(mongo).approve("prp_1", Deciding("ada", NOW)),
    "proposals.undo": lambda mongo: ProposalStore(mongo).undo("prp_1", Deciding("ada", NOW)),
    "proposals.expire": lambda mongo: ProposalStore(mongo).expire(NOW, 1),
    "proposals.project": lambda mongo: ProposalStore(mongo).project([made(1)]),
    "memory.edit": lambda mongo: MemoryHistory(mongo).edit(BLOCK, {"a": "b"}, Writing("ada", NOW)),
    "memory.restore": lambda mongo: MemoryHistory(mongo).restore(BLOCK, 1, Writing("ada", NOW)),
    "memory.page": lambda mongo: MemoryHistory(mongo).page("mem_1", None, 1),
    "proposals.reject": lambda mongo: ProposalStore(mongo).reject("prp_1", Deciding("ada", NOW)),
    "memory.of_owners": lambda mongo: MemoryStore(mongo.database).of_owners("acme", [Owner(MemoryOwner.USER, "ada")]),
    "bindings.put": lambda mongo: BindingStore(mongo.database).put(Binding("", ScopeRef(Scope.SERVER), "noter")),
    "agents.seed": lambda mongo: AgentStore(mongo.database).seed(a_spec(), NOW),
    "agents.published": lambda mongo: AgentStore(mongo.database).published(),
    "members.apply": lambda mongo: MemberStore(mongo.database).apply([MembershipChange(ADA, is_member=True, at=NOW)]),
    "schedules.due": lambda mongo: ScheduleStore(mongo.database).due(NOW, 1),
    "leases.acquire": lambda mongo: LeaseStore(mongo.database).acquire("scheduler", "one", 3),
    "leases.release": lambda mongo: LeaseStore(mongo.database).release("scheduler", "one"),
}


@pytest_asyncio.fixture
async def lost_mongo(own_mongo_server: MongoServer) -> AsyncIterator[Mongo]:
    """Yield a connection that was in use when its server was killed."""
    mongo = Mongo(ServiceSettings(mongodb_url=own_mongo_server.url, mongodb_timeout_seconds=TIMEOUT_SECONDS))
    await EventStore(mongo.database).accept([accepted("before")])
    await asyncio.to_thread(own_mongo_server.kill)
    yield mongo
    mongo.close()


async def test_every_store_says_so_and_within_the_timeout(lost_mongo: Mongo) -> None:
    asked_at = time.monotonic()

    outcomes = await asyncio.gather(*(call(lost_mongo) for call in CALLS.values()), return_exceptions=True)

    others = {
        name: outcome
        for name, outcome in zip(CALLS, outcomes, strict=True)
        if not isinstance(outcome, StorageUnavailable)
    }
    assert others == {}
    # Motor works on a bounded number of threads, so calls may wait for each other.
    assert time.monotonic() - asked_at < len(CALLS) * TIMEOUT_SECONDS


async def test_the_message_is_for_people(lost_mongo: Mongo) -> None:
    with pytest.raises(StorageUnavailable, match=r"^MongoDB does not answer: ") as raised:
        await lost_mongo.ping()

    assert "Topology Description" not in raised.value.message
    assert len(raised.value.message) < 400


async def test_when_it_is_back_the_same_connection_works_and_nothing_is_lost(
    own_mongo_server: MongoServer, lost_mongo: Mongo
) -> None:
    with pytest.raises(StorageUnavailable):
        await lost_mongo.ping()

    await asyncio.to_thread(own_mongo_server.start)

    await until_it_answers(lost_mongo)
    assert await EventStore(lost_mongo.database).known([accepted("before").key]) == {accepted("before").key}


async def until_it_answers(mongo: Mongo) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                return await mongo.ping()
            except StorageUnavailable:
                continue
