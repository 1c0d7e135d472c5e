"""Changing the status of an Agent: now, with or without an end to its runs, or at a moment to come."""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from contracts.agent_kinds import AgentStatus
from contracts.lifecycle import Shutdown
from services.gateway.agent_impact import Subject, governed, impact_of, open_runs
from services.gateway.agent_problems import ConfirmationRequired
from services.gateway.auth import Caller
from services.gateway.cancelling import cancel_runs
from services.gateway.lifecycle_views import impact_view
from services.gateway.problems import RequestInvalid
from services.gateway.state import Gateway
from shared.domain.impact import StatusChange, cancels
from shared.errors import NotFound
from shared.store.agent_documents import AgentRecord, PlannedStatus
from shared.store.lifecycle import ChangeKind, ChangeRecord, plan_id
from shared.store.run_ends import CancelResult

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WantedStatus:
    """The status that somebody wants an Agent to have; `at` is the moment of a scheduled shutdown."""

    status: AgentStatus
    shutdown: Shutdown = Shutdown.GRACEFUL
    at: datetime | None = None
    reason: str = ""
    is_confirmed: bool = False

    @property
    def change(self) -> StatusChange:
        return StatusChange(self.status, self.shutdown)


@dataclass(frozen=True, slots=True)
class ChangedStatus:
    """The Agent as it is now, and what became of its runs; nothing is known of runs that were left alone."""

    agent: AgentRecord
    runs: CancelResult | None = None


async def change_status(gateway: Gateway, caller: Caller, agent: AgentRecord, wanted: WantedStatus) -> ChangedStatus:
    """Do it, or raise RequestInvalid, or ConfirmationRequired with what would happen. The same status again is nothing.

    The caller may write the Agent: that has been checked.
    """
    _check(wanted, gateway.clock())
    subject = await governed(gateway, agent, caller.organisation)
    await _check_confirmed(gateway, agent, subject, wanted)
    if wanted.shutdown is Shutdown.SCHEDULED:
        return ChangedStatus(await _plan(gateway, caller, agent, wanted))
    changed = await _set(gateway, caller, agent, wanted)
    if wanted.shutdown is not Shutdown.IMMEDIATE:
        return ChangedStatus(changed)
    why = wanted.reason or f"Agent '{agent.key}' was made {wanted.status}."
    # What is open is due for the sweep, so that index will do where the organisation is not known.
    query = {**subject.query, "sweep_at": {"$exists": True}}
    return ChangedStatus(changed, await cancel_runs(gateway, caller, query, why))


async def cancel_plan(gateway: Gateway, caller: Caller, agent: AgentRecord) -> AgentRecord:
    """Forget what is planned for the Agent, or raise NotFound."""
    planned = agent.planned
    if planned is not None:
        change = ChangeRecord(
            ChangeKind.PLAN_CANCELLED,
            gateway.clock(),
            caller.user,
            agent.status,
            planned.status,
            planned_for=planned.at,
        )
        if await gateway.lifecycle.cancel_plan(agent.id, planned, change):
            log.info("agent.plan_cancelled", agent=agent.id, status=planned.status, by=caller.user)
            return replace(agent, planned=None)
    raise NotFound(f"No change of the status of Agent '{agent.key}' is planned any more.")


def _check(wanted: WantedStatus, now: datetime) -> None:
    is_scheduled = wanted.shutdown is Shutdown.SCHEDULED
    if is_scheduled and wanted.at is None:
        raise RequestInvalid("at: say when: shutdown = 'scheduled' needs a moment to come, with its zone.")
    if not is_scheduled and wanted.at is not None:
        raise RequestInvalid("at: only shutdown = 'scheduled' has a moment; leave it out.")
    if wanted.at is not None and wanted.at <= now:
        raise RequestInvalid(f"at: {wanted.at.isoformat()} is past; it is {now.isoformat()} now.")
    if wanted.status is AgentStatus.ACTIVE and wanted.shutdown is Shutdown.IMMEDIATE:
        raise RequestInvalid("shutdown: making an Agent active ends no runs; leave it out.")


async def _check_confirmed(gateway: Gateway, agent: AgentRecord, subject: Subject, wanted: WantedStatus) -> None:
    if wanted.is_confirmed or not cancels(wanted.change, await open_runs(gateway, subject)).reasons:
        return
    impact = await impact_of(gateway, subject, wanted.change)
    said = " ".join(impact.cancels.reasons)
    raise ConfirmationRequired(
        f"Agent '{agent.key}': {said} Send confirm = true to have that.", impact=impact_view(agent.key, impact)
    )


async def _plan(gateway: Gateway, caller: Caller, agent: AgentRecord, wanted: WantedStatus) -> AgentRecord:
    if wanted.at is None:
        raise AssertionError("a scheduled change was checked to have a moment")
    now = gateway.clock()
    id_ = plan_id(agent.id, wanted.status, now)
    planned = PlannedStatus(id_, wanted.status, wanted.at, caller.user, now, wanted.reason)
    change = ChangeRecord(
        ChangeKind.STATUS_PLANNED, now, caller.user, agent.status, wanted.status, wanted.reason, planned_for=wanted.at
    )
    await gateway.lifecycle.plan(agent.id, planned, change)
    log.info("agent.status_planned", agent=agent.id, status=wanted.status, at=wanted.at.isoformat(), by=caller.user)
    return replace(agent, planned=planned)


async def _set(gateway: Gateway, caller: Caller, agent: AgentRecord, wanted: WantedStatus) -> AgentRecord:
    if agent.status is wanted.status:
        return agent
    change = ChangeRecord(
        ChangeKind.STATUS_CHANGED, gateway.clock(), caller.user, agent.status, wanted.status, wanted.reason
    )
    await gateway.lifecycle.set_status(agent.id, change)
    log.info("agent.status_changed", agent=agent.id, status=wanted.status, before=agent.status, by=caller.user)
    return replace(agent, status=wanted.status)
