"""Documents as the API shows them. The classes document the answers; the functions make them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.gateway.batch_views import BatchView, batch_view
from services.gateway.receipts import Receipt, receipt_view
from shared.domain.binding import Binding
from shared.domain.run import ACTIVE, RunStatus
from shared.store.memory import MemoryBlock

Document = Mapping[str, Any]


class View(BaseModel):
    """An answer of the API."""

    model_config = ConfigDict(extra="forbid")


class TargetView(View):
    type: str
    id: str


class StartedRun(View):
    """A run that an event has just started."""

    id: str
    agent_key: str
    agent_version: int
    status: str
    target: TargetView


class ScopeView(View):
    scope: str
    scope_id: str


class DecisionView(View):
    """What the gate decided for one Agent, and which scope's binding decided it."""

    agent_key: str
    agent_version: int
    outcome: str
    reason: str
    decided_by: ScopeView | None
    run_id: str | None
    explanation: str


class EventAnswer(View):
    """What became of one event. `pending` means that the gate has not answered yet; the event is accepted all the same."""

    index: int
    id: str
    key: str
    agent_runs: list[StartedRun]
    decisions: list[DecisionView]
    pending: bool


class PublishAnswer(View):
    events: list[EventAnswer]
    agent_runs: list[StartedRun]


class ErrorView(View):
    code: str
    detail: str


class UsageView(View):
    input_tokens: int
    output_tokens: int
    model_calls: int


class TriggerView(View):
    """What started a run; `replay_id` and `original_run_id` are null unless its kind is `replay`."""

    kind: str
    event_key: str
    event_id: str
    event_type: str
    replay_id: str | None
    original_run_id: str | None


class WaitingView(View):
    """What keeps a queued run from starting: what, since when, until when if that is known, and which one."""

    what: str
    since: datetime
    until: datetime | None
    detail: str


class CancelView(View):
    """Who wanted the run to end. `spent_after` is what it used after that, once its end is confirmed."""

    requested_at: datetime
    requested_by: str
    reason: str | None
    confirmed_at: datetime | None
    spent_after: UsageView | None


class RunView(View):
    """A run; of the kind `batch` it has a run for each of its users, which name it as their `parent_id`. `waiting_for` says what keeps a queued one from starting; `error` is that of the last attempt.

    `cancelling`: somebody wants it to end, and its runner has not confirmed that yet. `losses` counts the attempts
    whose runner was lost, `redriven` how often it was tried again after it had failed.
    """

    id: str
    agent_key: str
    agent_version: int
    organisation: str
    project: str | None
    user: str | None
    target: TargetView
    status: str
    priority_level: str
    attempt: int
    losses: int
    trigger: TriggerView
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    changed_at: datetime
    waiting_for: WaitingView | None
    cancelling: bool
    cancel: CancelView | None
    redriven: int
    error: ErrorView | None
    usage: UsageView | None
    kind: str
    parent_id: str | None
    batch: BatchView | None


class CancelAnswer(View):
    """How many runs have ended, and how many end as soon as their runner has seen to it."""

    cancelled: int
    cancelling: int


class ExplainAnswer(View):
    """A run in words: one sentence that says why it is where it is, and what else there is to know."""

    run: RunView
    summary: str
    details: list[str]


class RunList(View):
    """`active` and `recent_failures` count this user's runs whatever the filters; they stop at 10,000."""

    agent_runs: list[RunView]
    active: int
    recent_failures: int
    window_seconds: int
    next_cursor: str | None


class EvidenceView(View):
    type: str
    id: str
    quote: str | None


class ProposalView(Receipt, View):
    """A proposal. Those of kind `memory_diff` carry the fields of the diff, others their `change`."""

    model_config = ConfigDict(extra="allow")

    id: str
    kind: str
    title: str
    status: str
    agent_key: str
    agent_version: int
    run_id: str
    organisation: str
    project: str | None
    user: str | None
    reasoning: str
    confidence: str
    base_version: int | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None
    applied_version: int | None
    event_key: str
    target: TargetView | None
    ticket_ids: list[str]
    evidence: list[EvidenceView]


class ProposalList(View):
    proposals: list[ProposalView]
    next_cursor: str | None


class OwnerView(View):
    type: str
    id: str


class BlockView(View):
    id: str
    owner: OwnerView
    label: str
    fields: dict[str, str]
    version: int
    updated_at: datetime | None
    updated_by: str | None


class MemoryAnswer(View):
    blocks: list[BlockView]


class BindingView(View):
    id: str
    agent_key: str
    scope: str
    scope_id: str
    enabled: bool | None
    paused: bool | None
    call_mode: str | None
    priority_level: str | None
    model: str | None
    active_hours: dict[str, Any] | None
    limits: dict[str, Any] | None
    schedule: dict[str, Any] | None
    updated_at: datetime | None
    updated_by: str | None


class BindingAnswer(BindingView):
    """A binding as it was written; `warnings` says what is allowed about its schedule and yet hardly meant."""

    warnings: list[str]


class BindingList(View):
    bindings: list[BindingView]


_RUN_FIELDS = (
    "agent_key", "agent_version", "organisation", "project", "user", "target", "status", "attempt", "losses",
    "queued_at", "changed_at",
)  # fmt: skip
_PROPOSAL_FIELDS = (
    "kind", "title", "status", "agent_key", "agent_version", "run_id", "organisation", "project", "user", "reasoning",
    "confidence", "base_version", "created_at", "decided_at", "decided_by", "decision_reason", "applied_version",
    "event_key",
)  # fmt: skip


_TRIGGER_KINDS = {
    "schedule.fired": "schedule",
    "user.idle_detected": "idle",
    "messages.counted": "messages",
    "agent.execute_requested": "manual",
}


def run_view(run: Document) -> dict[str, Any]:
    """Return a stored run as it is shown."""
    return {
        "id": run["_id"],
        **{name: run[name] for name in _RUN_FIELDS},
        "priority_level": run["lane"],
        "trigger": _trigger_view(run),
        "started_at": run.get("started_at"),
        "finished_at": run.get("finished_at"),
        "waiting_for": _waiting_view(run["waiting_for"]),
        "cancelling": run["cancel"] is not None and RunStatus(run["status"]) in ACTIVE,
        "cancel": _cancel_view(run),
        "redriven": run.get("redriven", 0),
        "error": run.get("error"),
        "usage": run.get("usage"),
        "kind": "run" if run.get("batch") is None else "batch",
        "parent_id": run.get("parent_id"),
        "batch": batch_view(run.get("batch")),
    }


def _trigger_view(run: Document) -> dict[str, Any]:
    replay = run.get("replay")
    return {
        "kind": "replay" if replay is not None else _TRIGGER_KINDS.get(run["event_type"], "event"),
        **{name: run[name] for name in ("event_key", "event_id", "event_type")},
        "replay_id": None if replay is None else replay["id"],
        "original_run_id": None if replay is None else replay["of"],
    }


def _waiting_view(waiting: Document | None) -> dict[str, Any] | None:
    return None if waiting is None else {name: waiting[name] for name in WaitingView.model_fields}


def _cancel_view(run: Document) -> dict[str, Any] | None:
    cancel = run["cancel"]
    if cancel is None:
        return None
    asked = {name: cancel[name] for name in ("requested_at", "requested_by", "reason")}
    return {**asked, "confirmed_at": run.get("finished_at"), "spent_after": run.get("spent_after_cancel")}


def decision_view(decision: Document) -> dict[str, Any]:
    """Return a recorded decision as it is shown."""
    return {name: decision[name] for name in DecisionView.model_fields}


def proposal_view(proposal: Document) -> dict[str, Any]:
    """Return a stored proposal as it is shown; the fields of a memory diff stand beside its own."""
    view = {
        "id": proposal["_id"],
        **{name: proposal[name] for name in _PROPOSAL_FIELDS},
        "target": proposal.get("target"),
        "ticket_ids": proposal.get("ticket_ids", []),
        "evidence": proposal.get("evidence", []),
    }
    view |= receipt_view(proposal)
    return view | (proposal["change"] if proposal["kind"] == "memory_diff" else {"change": proposal["change"]})


def block_view(block: MemoryBlock) -> dict[str, Any]:
    """Return a memory block as it is shown."""
    return {
        "id": block.id,
        "owner": {"type": block.owner.type, "id": block.owner.id},
        "label": block.label,
        "fields": block.fields,
        "version": block.version,
        "updated_at": block.updated_at,
        "updated_by": block.updated_by,
    }


def binding_view(binding: Binding) -> dict[str, Any]:
    """Return a binding as it is shown."""
    return {
        "id": binding.id,
        "agent_key": binding.agent_key,
        "scope": binding.at.scope,
        "scope_id": binding.at.id,
        "enabled": binding.enabled,
        "paused": binding.paused,
        "call_mode": binding.call_mode,
        "priority_level": binding.priority_level,
        "model": binding.model,
        "active_hours": None if binding.active_hours is None else binding.active_hours.model_dump(mode="json"),
        "limits": None if binding.limits is None else binding.limits.model_dump(mode="json"),
        "schedule": None if binding.schedule is None else binding.schedule.model_dump(mode="json"),
        "updated_at": binding.updated_at,
        "updated_by": binding.updated_by,
    }
