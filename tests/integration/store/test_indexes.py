"""Frequent queries use their indexes."""

from datetime import timedelta

import pytest

from contracts.agents import IntervalSchedule, MemoryOwner
from services.gateway import cursor as cursors
from services.gateway.auth import Caller
from services.gateway.proposal_filters import ProposalFilters
from shared.domain.dead_letter import DeadLetterStatus, letters_of_failures
from shared.domain.memory import Owner
from shared.domain.projection import proposals_of
from shared.domain.run import ACTIVE, TERMINAL, Claim, RunStatus, Waiting
from shared.domain.slot import Slot
from shared.domain.ticket import JudgedPair, TicketFact
from shared.store.agent_figures import AgentFiguresStore
from shared.store.agent_records import AgentRecords
from shared.store.cooldowns import Cooldown, CooldownStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.gathering import Joining
from shared.store.inbox import InboxStore
from shared.store.lifecycle import LifecycleStore
from shared.store.members import Member
from shared.store.memory import MemoryStore
from shared.store.memory_history import MemoryHistory
from shared.store.metrics import MetricsStore
from shared.store.mongo import Mongo
from shared.store.open_runs import Work
from shared.store.proposals import ProposalStore
from shared.store.provision import INDEXES, provision_store
from shared.store.replays import ReplayStore
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleInForce, ScheduleStore
from shared.store.sightings import SightingStore, Sought
from shared.store.slots import SlotStore
from shared.store.steps import Intent, StepStore
from shared.store.threads import ThreadStore
from shared.store.ticket_news import TicketNews
from shared.store.ticket_pairs import TicketPairStore
from shared.store.tickets import TicketStore
from shared.store.upcast import RUN_SCHEMA
from tests.integration.store.given import LEASE_SECONDS, accepted, completing
from tests.integration.store.proposing import made
from tests.support.plans import Query, is_indexed, plan_of
from tests.unit.shared.given import LATER, NOW, a_new_run, a_stored_run

ADA = Owner(MemoryOwner.USER, "ada")
MANY = 30
ACTIVE_OF_ADA = {"organisation": "acme", "user": "ada", "status": {"$in": sorted(ACTIVE)}}
RECENT_OF_ADA = {
    "$and": [
        {"organisation": "acme", "user": "ada"},
        {"status": {"$in": sorted(TERMINAL)}},
        {"changed_at": {"$gte": NOW}},
    ]
}
OF_ADA = {"organisation": "acme", "user": "ada"}
NOTERS = {"organisation": "acme", "agent_key": "noter"}
ANY_STATUS = {"status": {"$in": sorted(DeadLetterStatus)}}
ADA_ASKING = Caller("ada", "acme")
PENDING_OF_ADA = {"organisation": "acme", "user": "ada", "status": "pending"}

TICKETS = [
    TicketFact("acme", "apollo", f"T-{n}", {"title": "Export"}, is_closed=n % 2 == 0, event_id=str(n), at=NOW)
    for n in range(MANY)
]

QUERIES: dict[str, Query] = {
    "tickets: latest": lambda mongo: TicketStore(mongo.database).latest("acme", "apollo", 9, with_closed=True),
    "tickets: open": lambda mongo: anext(TicketStore(mongo.database).open_of("acme", "apollo")),
    "tickets: told by events": lambda mongo: TicketNews(mongo.database).read({}, 9),
    "tickets: unreadable": lambda mongo: TicketNews(mongo.database).retry_unreadable(),
    "tickets: told by events of a project": lambda mongo: TicketNews(mongo.database).read(
        {"organisation": "acme", "project": "apollo"}, 9
    ),
    "tickets: closed but indexed": lambda mongo: TicketStore(mongo.database).closed_but_indexed("acme", "apollo", 9),
    "ticket pairs: judged": lambda mongo: TicketPairStore(mongo.database).judged("acme", "apollo"),
    "runs: sweep": lambda mongo: RunStore(mongo.database).due_for_sweep(LATER, 10),
    "runs: active of a user": lambda mongo: RunStore(mongo.database).find(ACTIVE_OF_ADA, 50),
    "runs: recent of a user": lambda mongo: RunStore(mongo.database).find(RECENT_OF_ADA, 50),
    "runs: counts of a user": lambda mongo: RunStore(mongo.database).counts(
        [ACTIVE_OF_ADA, {**ACTIVE_OF_ADA, "replay.id": {"$exists": True}}], 100
    ),
    "runs: of an organisation": lambda mongo: RunStore(mongo.database).find(
        {"organisation": "acme", "status": RunStatus.FAILED}, 50
    ),
    "runs: figures of an Agent": lambda mongo: AgentFiguresStore(mongo.database).figures(NOTERS),
    "runs: latest of an Agent": lambda mongo: AgentFiguresStore(mongo.database).latest(NOTERS),
    "threads: agents": lambda mongo: ThreadStore(mongo.database).agents(OF_ADA),
    "threads: newest": lambda mongo: ThreadStore(mongo.database).find(OF_ADA, ["noter", "pulse"], {}, 50),
    "threads: pending diffs": lambda mongo: ThreadStore(mongo.database).pending_diffs(OF_ADA),
    "agents: planned": lambda mongo: LifecycleStore(mongo).due(LATER, 10),
    "agents: changes": lambda mongo: LifecycleStore(mongo).changes("noter", 10),
    "runs: load": lambda mongo: RunStore(mongo.database).load(["run_1"]),
    "runs: claim": lambda mongo: RunStore(mongo.database).claim(["run_1", "run_2"], "runner-1", LEASE_SECONDS),
    "runs: heartbeat": lambda mongo: RunStore(mongo.database).extend_leases(
        [Claim("run_1", 1, "runner-1"), Claim("run_2", 2, "runner-1")], "runner-1", LEASE_SECONDS
    ),
    "runs: commit": lambda mongo: RunStore(mongo.database).write_fenced([completing(Claim("run_3", 1, "runner-1"))]),
    "runs: settle": lambda mongo: RunStore(mongo.database).settle(["run_3"]),
    "runs: lost": lambda mongo: RunStore(mongo.database).take_over(["run_1"], NOW),
    "runs: runner lost": lambda mongo: RunStore(mongo.database).take_over_from("runner-1", NOW),
    "runs: waiting": lambda mongo: RunStore(mongo.database).waiting_under("slot_1", 10, least_urgent_first=True),
    "runs: waiting ahead": lambda mongo: RunStore(mongo.database).waiting_ahead(
        a_stored_run(waiting_for={"key": "slot_1"}), 10
    ),
    "runs: keys waited under": lambda mongo: RunStore(mongo.database).keys_waited_under(),
    "runs: holding": lambda mongo: RunStore(mongo.database).holding(NOW, 10),
    "runs: gathered": lambda mongo: RunStore(mongo.database).gathered(["ev_1"]),
    "runs: join": lambda mongo: RunStore(mongo.database).join(
        [Joining("gat_1", ("ev_1",), {"event_key": "ev_1"}, (NOW, 0), NOW, LATER)]
    ),
    "cooldowns: begin": lambda mongo: CooldownStore(mongo.database).begin([Cooldown("cool_1", "run_1", LATER)], NOW),
    "runs: cancel one": lambda mongo: RunStore(mongo.database).cancel({"_id": "run_1"}, Cancel("olga", NOW)),
    "runs: cancel those of a user": lambda mongo: RunStore(mongo.database).cancel(
        {"organisation": "acme", "user": "ada"}, Cancel("olga", NOW)
    ),
    "runs: to be cancelled": lambda mongo: RunStore(mongo.database).cancelling([Claim("run_1", 1, "runner-1")]),
    "runs: redrive": lambda mongo: RunStore(mongo.database).redrive(["run_1"], NOW),
    "runs: batches due": lambda mongo: RunStore(mongo.database).batches_due(LATER, 10),
    "runs: of a batch": lambda mongo: RunStore(mongo.database).children_of("run_1"),
    "runs: cancel those of a batch": lambda mongo: RunStore(mongo.database).cancel(
        {"parent_id": "run_1"}, Cancel("olga", NOW)
    ),
    "runs: cancel a replay": lambda mongo: RunStore(mongo.database).cancel({"replay.id": "rpl_1"}, Cancel("olga", NOW)),
    "replays: of an Agent": lambda mongo: ReplayStore(mongo).find({"organisation": "acme", "agent_id": "noter"}, 20),
    "replays: progress": lambda mongo: ReplayStore(mongo).progress(["rpl_1"]),
    "replays: fresh reads": lambda mongo: ReplayStore(mongo).fresh_reads(["run_1"]),
    "replays: originals": lambda mongo: ReplayStore(mongo).originals("acme", "noter", 10, None, None),
    "slots: free": lambda mongo: SlotStore(mongo.database).free({"slot_1": ["run_1"]}),
    "runs: queue lost": lambda mongo: RunStore(mongo.database).sweep_dispatched_at(NOW),
    "agents: visible": lambda mongo: AgentRecords(mongo.database).visible("acme"),
    "agents: versions of one": lambda mongo: AgentRecords(mongo.database).versions("acme", "noter", 0, 10),
    "events: sweep": lambda mongo: EventStore(mongo.database).due_for_sweep(LATER, 10),
    "events: stream lost": lambda mongo: EventStore(mongo.database).sweep_all_at(NOW),
    "events: recent": lambda mongo: EventStore(mongo.database).recent({"organisation": "acme"}, 10),
    "events: history of a user": lambda mongo: EventStore(mongo.database).recent(
        {"organisation": "acme", "user": "ada", "type": {"$nin": ["schedule.fired"]}}, 10
    ),
    "events: latest of some users": lambda mongo: SightingStore(mongo.database).latest(
        [Sought("acme", "apollo", user, "checkin.submitted") for user in ("ada", "bob")], NOW
    ),
    "events: page": lambda mongo: EventStore(mongo.database).page({"organisation": "acme", "type": "doc.updated"}, 10),
    "events: decisions": lambda mongo: EventStore(mongo.database).decisions(["ev_1"]),
    "proposals: pending of a user": lambda mongo: InboxStore(mongo.database).page(PENDING_OF_ADA, 50),
    "proposals: next page": lambda mongo: InboxStore(mongo.database).page(
        {**PENDING_OF_ADA, **cursors.after(cursors.encode(NOW, "prp_1"), "created_at")}, 50
    ),
    "proposals: of a user": lambda mongo: InboxStore(mongo.database).page(ProposalFilters().query(ADA_ASKING), 50),
    "proposals: of an organisation": lambda mongo: InboxStore(mongo.database).page(
        {"organisation": "acme", "status": "pending"}, 50
    ),
    "proposals: counts": lambda mongo: InboxStore(mongo.database).groups(PENDING_OF_ADA, 100),
    "proposals: to expire": lambda mongo: ProposalStore(mongo).expire(LATER, 10),
    "proposals: rivals": lambda mongo: ProposalStore(mongo).project([made(1), made(2, operation="append")]),
    "memory: versions": lambda mongo: MemoryHistory(mongo).page("mem_1", 7, 50),
    "proposals: of a run": lambda mongo: ProposalStore(mongo).find({"run_id": "run_1"}, 50),
    "dead letters: all": lambda mongo: DeadLetterStore(mongo.database).find(ANY_STATUS, 50),
    "dead letters: of an organisation": lambda mongo: DeadLetterStore(mongo.database).find(
        {"organisation": "acme", **ANY_STATUS}, 50
    ),
    "dead letters: to redrive": lambda mongo: DeadLetterStore(mongo.database).find(
        {"organisation": "acme", "status": "open", "last_at": {"$lte": LATER}}, 50, oldest_first=True
    ),
    "metrics: open runs": lambda mongo: MetricsStore(mongo.database).open_runs(),
    "metrics: dead letters": lambda mongo: MetricsStore(mongo.database).dead_letters(),
    "schedules: due": lambda mongo: ScheduleStore(mongo.database).due(LATER, 10),
    "schedules: of an organisation": lambda mongo: ScheduleStore(mongo.database).page(
        {"organisation": "acme"}, ("3", "sch_1"), 10
    ),
    "schedules: of a user": lambda mongo: ScheduleStore(mongo.database).page(
        {"organisation": "acme", "user": "ada", "agent_key": "pulse"}, None, 10
    ),
    "runs: open for some users": lambda mongo: RunStore(mongo.database).open_of(
        [Work("acme", "apollo", user, "noter") for user in ("user-1", "user-2")]
    ),
    "steps: of a run": lambda mongo: StepStore(mongo.database).of_run("run_1"),
    "memory: of owners": lambda mongo: MemoryStore(mongo.database).of_owners(
        "acme", [ADA, Owner(MemoryOwner.PROJECT, "apollo")]
    ),
}


async def fill(mongo: Mongo) -> None:
    """Put enough into each collection that reading it whole would be seen."""
    runs = [a_new_run(f"run_{number}", user=f"user-{number}") for number in range(MANY)]
    await RunStore(mongo.database).add(runs)
    await EventStore(mongo.database).accept([accepted(str(number)) for number in range(MANY)])
    await ProposalStore(mongo).project(
        [each for run in runs for each in proposals_of(a_stored_run(RunStatus.COMPLETED, run))]
    )
    failed = [a_stored_run(RunStatus.FAILED, run) for run in runs]
    await DeadLetterStore(mongo.database).keep(letters_of_failures(failed))
    await ScheduleStore(mongo.database).put(
        [
            ScheduleInForce("pulse", Member("acme", "apollo", str(n)), IntervalSchedule(every_seconds=9), NOW, NOW)
            for n in range(MANY)
        ],
        [],
    )
    for number in range(MANY):
        await SlotStore(mongo.database).take(Slot(f"slot_{number}", Waiting.AGENT, "noter", 1), [f"run_{number}"])
        claim = Claim(f"run_{number}", 1, "runner-1")
        await StepStore(mongo.database).intend(Intent(claim, 0, "model_call", "deep", "hash", NOW))
    await TicketStore(mongo.database).apply(TICKETS)
    pairs = [JudgedPair((f"T-{n}", "T-x"), ("1", "2"), "neither") for n in range(MANY)]
    await TicketPairStore(mongo.database).record("acme", "apollo", "run_1", pairs)
    blocks = [{"_id": str(n), "organisation": "acme", "owner": {"type": "user", "id": str(n)}} for n in range(MANY)]
    await mongo.database["memory_blocks"].insert_many(blocks)


async def test_no_frequent_query_reads_a_whole_collection(mongo: Mongo) -> None:
    await fill(mongo)

    plans = {name: await plan_of(mongo, query) for name, query in QUERIES.items()}

    without_index = {
        name: plan for name, plan in plans.items() if not plan or not all(is_indexed(each) for each in plan)
    }
    assert without_index == {}


async def test_lists_of_proposals_are_read_in_order_and_never_sorted(mongo: Mongo) -> None:
    await fill(mongo)
    order = {"created_at": -1, "_id": -1}
    after = cursors.after(cursors.encode(LATER, "prp_1"), "created_at")

    for query in (PENDING_OF_ADA, ProposalFilters().query(ADA_ASKING), {**PENDING_OF_ADA, **after}):
        plan = await mongo.database.command("explain", {"find": "proposals", "filter": query, "sort": order})
        stages = str(plan["queryPlanner"]["winningPlan"])
        assert "'IXSCAN'" in stages
        assert "'SORT'" not in stages


async def test_the_runs_of_a_list_are_read_in_order_and_no_more_than_it_shows(mongo: Mongo) -> None:
    database = mongo.database
    statuses = sorted(TERMINAL)
    whose = {"organisation": "acme", "user": "ada", "schema": RUN_SCHEMA}
    runs = [
        {
            "_id": f"run_{number:02}",
            **whose,
            "status": statuses[number % 3],
            "changed_at": NOW + timedelta(hours=number),
        }
        for number in range(MANY)
    ]
    await database["runs"].insert_many(runs)
    await database.command("profile", 2)

    found = await RunStore(database).find({**RECENT_OF_ADA, "status": {"$in": statuses}, "replay": None}, 5)

    await database.command("profile", 0)
    assert [run["_id"] for run in found] == [run["_id"] for run in reversed(runs[-5:])]
    (asked,) = await database["system.profile"].find({"op": "query", "ns": database["runs"].full_name}).to_list(None)
    assert "hasSortStage" not in asked
    assert asked["docsExamined"] == 6


async def test_provisioning_again_changes_nothing(mongo: Mongo) -> None:
    before = {name: await mongo.database[name].index_information() for name in INDEXES}

    await provision_store(mongo.database)

    assert {name: await mongo.database[name].index_information() for name in INDEXES} == before
    assert all(len(indexes) > 1 for indexes in before.values())


@pytest.mark.parametrize("collection", ["runs", "events"])
async def test_the_index_of_the_sweep_holds_only_what_is_to_be_looked_at(mongo: Mongo, collection: str) -> None:
    document = {"_id": "a", "sweep_at": NOW + timedelta(days=1)}
    await mongo.database[collection].insert_many([document, {"_id": "b"}, {"_id": "c"}])

    held = await mongo.database[collection].find({}, hint="to_sweep").to_list(None)

    assert [each["_id"] for each in held] == ["a"]
