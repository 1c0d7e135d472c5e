"""Decided runs as they are queued: with the slots they need, or with what they have to wait for. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.lanes import Lane
from contracts.manual_runs import AgentExecuteRequested
from shared.admission import Candidate, Verdict, waiting_for
from shared.domain.configuration import Configuration
from shared.domain.decision import Target
from shared.domain.run import Waiting
from shared.domain.slot import OwnLimits, QueueLimits, paused_key, slots_of
from shared.store.run_documents import NewRun, waiting_document

Document = dict[str, Any]


def new_run(
    event: Event, decision: Mapping[str, Any], configuration: Configuration, limits: QueueLimits, now: datetime
) -> tuple[NewRun, Candidate | None]:
    """Return the run that a recorded decision starts, and its candidature, unless it has to wait for something else."""
    version = configuration.agent(event.organisationid, decision["agent_key"])
    spec = None if version is None else version.spec
    target = Target(decision["target"]["type"], decision["target"]["id"])
    own = OwnLimits() if spec is None else OwnLimits(spec.max_concurrent_per_target, spec.max_concurrent_tasks)
    lane = Lane(decision["lane"])
    slots = slots_of(event.organisationid, decision["agent_key"], target, lane, own, limits)
    waiting = None if spec is None else _waiting(event, decision, spec, configuration, now)
    batch = _batch(event, spec)
    if batch is not None:
        slots, waiting = (), waiting_document(Waiting.CHILDREN, now, detail="its runs are about to be started")
    run = NewRun(
        id=decision["run_id"],
        event_key=event.key,
        event_id=event.id,
        event_type=event.type,
        organisation=event.organisationid,
        project=event.projectid,
        user=event.userid,
        agent_key=decision["agent_key"],
        agent_version=decision["agent_version"],
        agent_version_id=decision.get("agent_version_id"),
        target=target,
        lane=lane,
        queued_at=now,
        slots=tuple(slot.key for slot in slots),
        own_limits=own,
        waiting_for=waiting,
        queue_timeout_seconds=None if spec is None or batch else spec.queue_timeout_seconds,
        run_timeout_seconds=None if spec is None or batch else spec.run_timeout_seconds,
        batch=batch,
    )
    return run, None if waiting is not None else Candidate(run.id, slots)


def _batch(event: Event, spec: AgentSpec | None) -> Document | None:
    """Return what a parent runs, as it is stored, with the time that its runs may take; None for any other run."""
    wanted = event.data.batch if isinstance(event, AgentExecuteRequested) else None
    if wanted is None:
        return None
    return {
        "users": list(wanted.users),
        "users_total": len(wanted.users),
        "size": wanted.size,
        "round": 1,
        "queue_timeout_seconds": None if spec is None else spec.queue_timeout_seconds,
        "run_timeout_seconds": None if spec is None else spec.run_timeout_seconds,
    }


def verdict_fields(verdict: Verdict, now: datetime) -> Document:
    """Return what the admission's verdict makes of a new run."""
    if verdict.lacks is None:
        return {"is_express": verdict.is_express}
    return {"waiting_for": waiting_for(verdict.lacks, now)}


def _waiting(
    event: Event, decision: Mapping[str, Any], spec: AgentSpec, configuration: Configuration, now: datetime
) -> Document | None:
    debounce = decision.get("debounce_seconds", 0)
    if debounce:
        # Whether its Agent is paused counts when it has waited: until then it takes the events of its target.
        return waiting_document(Waiting.DEBOUNCE, now, until=now + timedelta(seconds=debounce))
    effective = configuration.effective(spec, event.organisationid, event.projectid, event.userid)
    if effective.waits_because is not None:
        key = paused_key(event.organisationid, spec.key)
        return waiting_document(Waiting.PAUSED, now, key=key, detail=effective.waits_because)
    delay = decision.get("delay_seconds", 0)
    return waiting_document(Waiting.DELAY, now, until=now + timedelta(seconds=delay)) if delay else None
