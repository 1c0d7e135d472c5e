"""Replays as the API shows them. The classes document the answers; the functions make them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.gateway.agent_views import ChangeView, change_views
from services.gateway.views import View
from shared.domain.proposal import ProposalStatus
from shared.domain.replay_report import Figures, Pair, Side, Summary, by_version, summary
from shared.domain.replaying import DRAFT
from shared.domain.run import ACTIVE, RunStatus

Document = Mapping[str, Any]


class ReplayProgress(View):
    """How many runs of the replay are where; `gone` are those that were deleted with age."""

    total: int
    queued: int
    running: int
    completed: int
    failed: int
    cancelled: int
    gone: int


class ReplayCancel(View):
    requested_at: datetime
    requested_by: str
    reason: str | None


class ReplayView(View):
    """A replay: `running` until all its runs have ended, then `completed`, or `cancelled` when somebody ended it.

    `agent_version` is null for a draft.
    """

    id: str
    agent_key: str
    agent_version: int | None
    draft: bool
    request_id: str
    requested_by: str
    created_at: datetime
    status: str
    progress: ReplayProgress
    cancel: ReplayCancel | None


class ReplayList(View):
    replays: list[ReplayView]
    next_cursor: str | None


class ReplayFigures(View):
    """Sums over runs. Latency is that of completed ones; the rate is what was approved of what was decided, or null."""

    runs: int
    completed: int
    failed: int
    input_tokens: int
    output_tokens: int
    model_calls: int
    median_latency_seconds: float | None
    proposals: int
    approved: int
    rejected: int
    acceptance_rate: float | None


class ReplaySummary(View):
    """How many pairs ended how, and the figures of both sides of those that are compared.

    `fresh_reads` is how often the replay read what the original had not, and so saw the present, not the past.
    """

    results: dict[str, int]
    fresh_reads: int
    old: ReplayFigures
    new: ReplayFigures


class ReplayedVersion(ReplaySummary):
    """The same for those of the originals that had this version."""

    agent_version: int


class ReplaySide(View):
    """One run of a pair; `approved` and `rejected` of a replay count what it proposes again as it was decided then."""

    agent_version: int
    status: str
    error_code: str | None
    input_tokens: int
    output_tokens: int
    model_calls: int
    latency_seconds: float | None
    proposals: int
    approved: int
    rejected: int


class ReplayPair(View):
    """An original and its replay. A side is null once its run was deleted with age.

    `result` is `same` or `different` when both completed, `fixed` or `broken` when only one did, `still_fails`, or
    `open`, `cancelled` or `gone` when there is nothing to compare.
    """

    original_run_id: str
    run_id: str
    result: str
    changes: list[ChangeView]
    fresh_reads: int
    old: ReplaySide | None
    new: ReplaySide | None


class ReplayReport(ReplayView):
    """A replay with its comparison: all of it in `totals` and by `versions`, and a page of its `pairs`."""

    totals: ReplaySummary
    versions: list[ReplayedVersion]
    pairs: list[ReplayPair]
    skip: int
    limit: int


def replay_view(replay: Document, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return a stored replay as it is shown, with how many of its runs have which status."""
    cancel, total = replay["cancel"], len(replay["runs"])
    shown = ("agent_key", "request_id", "requested_by", "created_at")
    return {
        "id": replay["_id"],
        **{name: replay[name] for name in shown},
        "agent_version": None if replay["agent_version"] == DRAFT else replay["agent_version"],
        "draft": replay["agent_version"] == DRAFT,
        "status": _status(replay, counts),
        "progress": {
            "total": total,
            **{status.value: counts.get(status, 0) for status in RunStatus},
            "gone": total - sum(counts.values()),
        },
        "cancel": cancel and {name: cancel[name] for name in ReplayCancel.model_fields},
    }


def _status(replay: Document, counts: Mapping[str, int]) -> str:
    if any(counts.get(status) for status in ACTIVE):
        return "running"
    return "completed" if replay["cancel"] is None else "cancelled"


def report_view(
    replay: Document, counts: Mapping[str, int], pairs: Sequence[Pair], skip: int, limit: int
) -> dict[str, Any]:
    """Return a replay with its comparison, and a page of its pairs."""
    return {
        **replay_view(replay, counts),
        "totals": _summary_view(summary(pairs)),
        "versions": [{"agent_version": number, **_summary_view(each)} for number, each in by_version(pairs).items()],
        "pairs": [_pair_view(pair) for pair in pairs[skip : skip + limit]],
        "skip": skip,
        "limit": limit,
    }


def _summary_view(sums: Summary) -> dict[str, Any]:
    return {
        "results": {result.value: count for result, count in sorted(sums.results.items())},
        "fresh_reads": sums.fresh_reads,
        "old": _figures_view(sums.old),
        "new": _figures_view(sums.new),
    }


def _figures_view(figures: Figures) -> dict[str, Any]:
    return asdict(figures)


def _pair_view(pair: Pair) -> dict[str, Any]:
    return {
        "original_run_id": pair.original_id,
        "run_id": pair.run_id,
        "result": pair.result.value,
        "changes": change_views(pair.changes),
        "fresh_reads": pair.fresh_reads,
        "old": None if pair.old is None else _side_view(pair.old),
        "new": None if pair.new is None else _side_view(pair.new),
    }


def _side_view(side: Side) -> dict[str, Any]:
    return {
        "agent_version": side.agent_version,
        "status": side.status.value,
        "error_code": side.error_code,
        **asdict(side.usage),
        "latency_seconds": side.latency_seconds,
        "proposals": len(side.proposed),
        "approved": side.decisions[ProposalStatus.APPROVED],
        "rejected": side.decisions[ProposalStatus.REJECTED],
    }
