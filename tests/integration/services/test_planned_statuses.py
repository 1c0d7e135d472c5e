"""Planned changes of status are made once at their moment, by whoever leads then."""

import asyncio
from datetime import datetime, timedelta

from contracts.agent_kinds import AgentStatus
from services.scheduler.leader import Leader
from services.scheduler.planned import PlannedStatuses
from shared.store.agent_documents import PlannedStatus
from shared.store.agents import AgentStore
from shared.store.leases import LeaseStore
from shared.store.lifecycle import ChangeKind, ChangeRecord, LifecycleStore
from shared.store.mongo import Mongo
from tests.unit.shared.given import NOW, a_spec

SECOND = timedelta(seconds=1)
PLAN = PlannedStatus("pln_1", AgentStatus.INACTIVE, NOW + 10 * SECOND, "olga", NOW, "Moving.")
PLANNED = ChangeRecord(ChangeKind.STATUS_PLANNED, NOW, "olga", "active", "inactive", planned_for=PLAN.at)


def looking(mongo: Mongo, now: datetime) -> PlannedStatuses:
    return PlannedStatuses(LifecycleStore(mongo), Leader(LeaseStore(mongo.database), "one", 3), lambda: now)


async def test_a_plan_waits_for_its_moment_and_is_carried_out_once_by_two_that_lead(mongo: Mongo) -> None:
    agents, lifecycle = AgentStore(mongo.database), LifecycleStore(mongo)
    await agents.seed(a_spec(), NOW)
    await lifecycle.plan("noter", PLAN, PLANNED)

    await looking(mongo, NOW + 9 * SECOND).look()
    before = await agents.statuses()
    # A scheduler that starts later finds the plan all the same.
    await asyncio.gather(*(looking(mongo, NOW + 60 * SECOND).look() for _ in range(2)))

    assert before == {}
    assert await agents.statuses() == {"noter": AgentStatus.INACTIVE}
    done, planned = await lifecycle.changes("noter", 10)
    assert (done.kind, done.by, done.before, done.after, done.reason) == (
        ChangeKind.STATUS_CHANGED,
        "olga",
        "active",
        "inactive",
        "Moving.",
    )
    assert planned == PLANNED


async def test_a_plan_that_was_cancelled_changes_nothing_also_when_it_was_seen_before(mongo: Mongo) -> None:
    agents, lifecycle = AgentStore(mongo.database), LifecycleStore(mongo)
    await agents.seed(a_spec(), NOW)
    await lifecycle.plan("noter", PLAN, PLANNED)
    (seen,) = await lifecycle.due(PLAN.at, 10)
    cancelled = ChangeRecord(ChangeKind.PLAN_CANCELLED, NOW, "kim", "active", "inactive", planned_for=PLAN.at)

    assert await lifecycle.cancel_plan("noter", PLAN, cancelled)
    assert not await lifecycle.cancel_plan("noter", PLAN, cancelled)
    assert await lifecycle.carry_out(seen, PLAN.at) is None

    assert await agents.statuses() == {}
    assert [change.kind for change in await lifecycle.changes("noter", 10)] == [
        ChangeKind.PLAN_CANCELLED,
        ChangeKind.STATUS_PLANNED,
    ]
