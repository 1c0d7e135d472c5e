"""What a replay came to: each run beside its original, and the sums of both. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any, Final

import orjson

from shared.domain.comparison import Change, changes
from shared.domain.proposal import ProposalStatus
from shared.domain.replaying import EFFECTS_OFF
from shared.domain.run import ACTIVE, RunStatus, Usage

Document = Mapping[str, Any]

_DECIDED: Final = frozenset({ProposalStatus.APPROVED, ProposalStatus.REJECTED})


class PairResult(StrEnum):
    """How a run ended beside its original; of what is `open`, `cancelled` or `gone` with age nothing is compared."""

    SAME = "same"
    DIFFERENT = "different"
    FIXED = "fixed"
    BROKEN = "broken"
    STILL_FAILS = "still_fails"
    OPEN = "open"
    CANCELLED = "cancelled"
    GONE = "gone"


NOT_COMPARED: Final = frozenset({PairResult.OPEN, PairResult.CANCELLED, PairResult.GONE})
_RESULTS: Final = {
    (True, True): PairResult.SAME,
    (True, False): PairResult.BROKEN,
    (False, True): PairResult.FIXED,
    (False, False): PairResult.STILL_FAILS,
}
"""What it is that the original, and the replay, has completed."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change that a run asks for, and what people decided about the original's: None while nobody has."""

    identity: bytes
    decision: ProposalStatus | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One run of a pair. `latency_seconds` is from its first start to its end, None before that."""

    run_id: str
    agent_version: int
    status: RunStatus
    error_code: str | None
    output: Document | None
    usage: Usage
    latency_seconds: float | None
    proposed: tuple[Proposed, ...]

    @property
    def decisions(self) -> Counter[ProposalStatus]:
        """How many of its proposals were approved, and how many rejected."""
        return Counter(each.decision for each in self.proposed if each.decision in _DECIDED)


@dataclass(frozen=True, slots=True)
class Pair:
    """An original and its replay. `fresh_reads` is how much the replay read that the original had not."""

    original_id: str
    run_id: str
    result: PairResult
    old: Side | None
    new: Side | None
    changes: Sequence[Change] = ()
    fresh_reads: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums over runs. Latency is that of completed ones; the rate is approved of those that were decided."""

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


@dataclass(frozen=True, slots=True)
class Summary:
    """The pairs that could be compared: how many by result, and the figures of the originals and of the replays."""

    results: Mapping[PairResult, int]
    fresh_reads: int
    old: Figures
    new: Figures


def original_side(run: Document, output: Document | None, proposals: Iterable[Document]) -> Side:
    """Return the side of a past run with its proposals as they are stored."""
    return _side(run, output, tuple(Proposed(_identity(each), ProposalStatus(each["status"])) for each in proposals))


def replayed_side(run: Document, output: Document | None, original: Side | None) -> Side:
    """Return the side of a replay: what it asks for again counts as decided as the original's was."""
    decided = {} if original is None else {each.identity: each.decision for each in original.proposed}
    asked = [_identity(effect) for effect in run.get("effects") or () if effect["dropped"] == EFFECTS_OFF]
    return _side(run, output, tuple(Proposed(identity, decided.get(identity)) for identity in asked))


def _side(run: Document, output: Document | None, proposed: tuple[Proposed, ...]) -> Side:
    started, finished, error, usage = (run.get(name) for name in ("started_at", "finished_at", "error", "usage"))
    return Side(
        run_id=run["_id"],
        agent_version=run["agent_version"],
        status=RunStatus(run["status"]),
        error_code=None if error is None else error["code"],
        output=output,
        usage=Usage() if usage is None else Usage(**usage),
        latency_seconds=None if started is None or finished is None else (finished - started).total_seconds(),
        proposed=proposed,
    )


def _identity(proposal: Document) -> bytes:
    """Return what makes two proposals the same: target, operation and text, not the text that they were made on."""
    change = {name: value for name, value in proposal["change"].items() if name != "current_value"}
    return orjson.dumps([proposal["kind"], change], option=orjson.OPT_SORT_KEYS)


def paired(original_id: str, run_id: str, old: Side | None, new: Side | None, fresh_reads: int) -> Pair:
    """Return both runs compared, the outputs field by field when both have completed."""
    result, found = _result(old, new), []
    if old is not None and new is not None and result is PairResult.SAME:
        found = changes(old.output or {}, new.output or {})
        result = PairResult.DIFFERENT if found else result
    return Pair(original_id, run_id, result, old, new, found, fresh_reads)


def _result(old: Side | None, new: Side | None) -> PairResult:
    if any(side is not None and side.status in ACTIVE for side in (old, new)):
        return PairResult.OPEN
    if old is None or new is None:
        return PairResult.GONE
    if new.status is RunStatus.CANCELLED:
        return PairResult.CANCELLED
    return _RESULTS[old.status is RunStatus.COMPLETED, new.status is RunStatus.COMPLETED]


def summary(pairs: Sequence[Pair]) -> Summary:
    """Return the sums over the pairs; the figures are those of both runs of the pairs that are compared."""
    compared = [(pair.old, pair.new) for pair in pairs if pair.result not in NOT_COMPARED]
    return Summary(
        results=Counter(pair.result for pair in pairs),
        fresh_reads=sum(pair.fresh_reads for pair in pairs),
        old=_figures([old for old, _ in compared if old is not None]),
        new=_figures([new for _, new in compared if new is not None]),
    )


def by_version(pairs: Sequence[Pair]) -> dict[int, Summary]:
    """Return the sums for each version that the originals had, the latest first."""
    versions = sorted({pair.old.agent_version for pair in pairs if pair.old is not None}, reverse=True)
    return {
        version: summary([pair for pair in pairs if pair.old is not None and pair.old.agent_version == version])
        for version in versions
    }


def _figures(sides: Sequence[Side]) -> Figures:
    completed = [side for side in sides if side.status is RunStatus.COMPLETED]
    latencies = [side.latency_seconds for side in completed if side.latency_seconds is not None]
    decisions = sum((side.decisions for side in sides), Counter[ProposalStatus]())
    approved, rejected = decisions[ProposalStatus.APPROVED], decisions[ProposalStatus.REJECTED]
    return Figures(
        runs=len(sides),
        completed=len(completed),
        failed=sum(side.status is RunStatus.FAILED for side in sides),
        input_tokens=sum(side.usage.input_tokens for side in sides),
        output_tokens=sum(side.usage.output_tokens for side in sides),
        model_calls=sum(side.usage.model_calls for side in sides),
        median_latency_seconds=median(latencies) if latencies else None,
        proposals=sum(len(side.proposed) for side in sides),
        approved=approved,
        rejected=rejected,
        acceptance_rate=approved / (approved + rejected) if approved + rejected else None,
    )
