"""The life of an Agent as the API shows it: what a change would touch, what was changed, what its runs came to."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.gateway.agent_access import visibility_of
from services.gateway.agent_impact import Impact
from services.gateway.agent_views import PlannedStatusView, planned_view
from services.gateway.views import View
from shared.domain.impact import OpenRuns
from shared.store.agent_documents import AgentRecord, VersionRecord
from shared.store.agent_figures import AgentFigures
from shared.store.lifecycle import ChangeRecord
from shared.store.run_ends import CancelResult

Document = dict[str, Any]


class AffectedRuns(View):
    count: int
    ids: list[str]


class AffectedSchedules(View):
    count: int
    ids: list[str]
    next_fire_at: datetime | None


class NamingBinding(View):
    scope: str
    scope_id: str
    enabled: bool | None
    paused: bool | None


class AffectedBindings(View):
    count: int
    bindings: list[NamingBinding]


class AffectedAgents(View):
    count: int
    keys: list[str]


class CancelsView(View):
    """How many open runs the change ends that would go on without it."""

    queued: int
    running: int


class ImpactAnswer(View):
    """What a change would touch now: counts, which stop at 10,000, and the first few of each kind.

    `dependents` are the Agents whose filters name this one. `reasons` says why a confirmation is required.
    """

    agent_key: str
    running: AffectedRuns
    queued: AffectedRuns
    schedules: AffectedSchedules
    bindings: AffectedBindings
    dependents: AffectedAgents
    cancels: CancelsView
    confirmation_required: bool
    reasons: list[str]


class WorkloadAnswer(View):
    """The status of an Agent, what is planned, and how many of its runs are open; counts stop at 10,000."""

    key: str
    visibility: str
    status: str
    planned_status: PlannedStatusView | None
    queued: int
    running: int


class HistoryEntry(View):
    """One change: `published` with its version and note, or a change of status, a plan, its end, or the archiving.

    `before` and `after` are statuses; `planned_for` is the moment of a plan, also of one that was carried out.
    """

    kind: str
    at: datetime
    by: str
    before: str | None
    after: str | None
    reason: str
    planned_for: datetime | None
    version: int | None


class HistoryAnswer(View):
    changes: list[HistoryEntry]


class FiguresView(View):
    """What the runs that are kept came to; `median_seconds` is of those that were completed, from start to end."""

    by_status: dict[str, int]
    input_tokens: int
    output_tokens: int
    model_calls: int
    median_seconds: float | None
    since: datetime | None


class AgentFiguresAnswer(View):
    """The figures of one Agent; none when its version says performance_monitoring = false."""

    agent_key: str
    performance_monitoring: bool
    figures: FiguresView | None


def impact_view(agent_key: str, impact: Impact) -> Document:
    runs = impact.runs
    return {
        "agent_key": agent_key,
        "running": {"count": runs.running, "ids": impact.running_ids},
        "queued": {"count": runs.queued, "ids": impact.queued_ids},
        "schedules": {
            "count": impact.schedules,
            "ids": [each.id for each in impact.next_schedules],
            "next_fire_at": impact.next_fire_at,
        },
        "bindings": {
            "count": impact.bindings,
            "bindings": [
                {"scope": each.at.scope, "scope_id": each.at.id, "enabled": each.enabled, "paused": each.paused}
                for each in impact.first_bindings
            ],
        },
        "dependents": {"count": len(impact.dependents), "keys": impact.dependents},
        "cancels": asdict(impact.cancels),
        "confirmation_required": bool(impact.cancels.reasons),
        "reasons": impact.cancels.reasons,
    }


def status_answer(agent: AgentRecord, runs: CancelResult | None = None) -> Document:
    """Return the Agent as it is after a change, and what became of its runs; None of runs that were left alone."""
    return {
        "key": agent.key,
        "visibility": visibility_of(agent),
        "status": agent.status,
        "planned_status": planned_view(agent.planned),
        "cancelled": 0 if runs is None else runs.cancelled,
        "cancelling": 0 if runs is None else len(runs.cancelling) + len(runs.requeued),
    }


def workload_view(agent: AgentRecord, runs: OpenRuns) -> Document:
    return {
        "key": agent.key,
        "visibility": visibility_of(agent),
        "status": agent.status,
        "planned_status": planned_view(agent.planned),
        "queued": runs.queued,
        "running": runs.running,
    }


def history_view(changes: Iterable[ChangeRecord], versions: Iterable[VersionRecord]) -> Sequence[Document]:
    """Return both as one list, the latest first."""
    published = [
        {
            "kind": "published",
            "at": version.published_at,
            "by": version.author,
            "before": None,
            "after": None,
            "reason": version.note,
            "planned_for": None,
            "version": version.number,
        }
        for version in versions
    ]
    changed = [{**asdict(change), "version": None} for change in changes]
    return sorted([*published, *changed], key=lambda each: each["at"], reverse=True)


def figures_view(figures: AgentFigures | None) -> Document | None:
    return None if figures is None else asdict(figures)
