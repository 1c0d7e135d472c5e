"""Scores: what the performances of an Agent come to. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from infra.evals.judging import Rule
from infra.evals.performing import Performance

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one Agent over all its performances, and what its model calls used."""

    performances: int = 0
    passed: int = 0
    failed_to_answer: int = 0
    wanted: int = 0
    found: int = 0
    forbidden: int = 0
    kept_out: int = 0
    proposals: int = 0
    welcome: int = 0
    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    def plus(self, other: "Score") -> "Score":
        """Return the sums."""
        return Score(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def pass_rate(self) -> float:
        return _share(self.passed, self.performances)

    @property
    def found_rate(self) -> float:
        return _share(self.found, self.wanted)

    @property
    def kept_out_rate(self) -> float:
        return _share(self.kept_out, self.forbidden)

    @property
    def precision(self) -> float:
        return _share(self.welcome, self.proposals)


@dataclass(frozen=True, slots=True)
class Change:
    """How an Agent does beside an earlier time: by how much the share of passes differs, and in which cases."""

    agent: str
    pass_rate: float
    newly_failing: tuple[str, ...]
    newly_passing: tuple[str, ...]


def scores_of(performances: Iterable[Performance]) -> dict[str, Score]:
    """Return the score of each Agent, in the order in which they come."""
    scores: dict[str, Score] = {}
    for each in performances:
        scores[each.agent] = scores.get(each.agent, Score()).plus(_score(each))
    return scores


def results(model: str, performances: Sequence[Performance]) -> Document:
    """Return everything as JSON: scores by Agent, and for each case how often it passed and what did not hold.

    Of a case that did not always pass the last wrong answer is there, too, and why effects of it were dropped.
    """
    by_case: dict[tuple[str, str], list[Performance]] = defaultdict(list)
    for each in performances:
        by_case[each.agent, each.case.id].append(each)
    return {
        "model": model,
        "agents": {agent: asdict(score) for agent, score in scores_of(performances).items()},
        "cases": [
            {
                "agent": agent,
                "case": case,
                "passed": sum(each.passed for each in done),
                "performances": len(done),
                "failures": sorted({failure for each in done for failure in failures_of(each)}),
                **_wrong(done),
            }
            for (agent, case), done in by_case.items()
        ],
    }


def _wrong(done: Iterable[Performance]) -> Document:
    failed = [each for each in done if not each.passed]
    if not failed:
        return {}
    dropped = [effect["dropped"] for effect in failed[-1].effects if effect["dropped"] is not None]
    return {"answer": failed[-1].output, "dropped": dropped}


def failures_of(performance: Performance) -> list[str]:
    """Return in words what did not hold."""
    if performance.judgement is None:
        return [f"no answer: {performance.error}"]
    words = {Rule.MUST: "missing", Rule.MUST_NOT: "must not be"}
    return [f"{words[each.rule]}: {each.text}" for each in performance.judgement.verdicts if not each.held]


def compared(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[Change]:
    """Return how each Agent does now in the cases that both results have; others are left out."""
    earlier = {(each["agent"], each["case"]): each for each in before["cases"]}
    pairs: dict[str, list[tuple[Document, Document]]] = defaultdict(list)
    for each in now["cases"]:
        if (each["agent"], each["case"]) in earlier:
            pairs[each["agent"]].append((each, earlier[each["agent"], each["case"]]))
    return [_change(agent, both) for agent, both in pairs.items()]


def _change(agent: str, both: Sequence[tuple[Document, Document]]) -> Change:
    return Change(
        agent,
        _rate(now for now, _ in both) - _rate(before for _, before in both),
        tuple(now["case"] for now, before in both if _always(before) and not _always(now)),
        tuple(now["case"] for now, before in both if _always(now) and not _always(before)),
    )


def _score(performance: Performance) -> Score:
    judgement, used = performance.judgement, performance.usage
    verdicts = judgement.verdicts if judgement else ()
    wanted = [each.held for each in verdicts if each.rule is Rule.MUST]
    forbidden = [each.held for each in verdicts if each.rule is Rule.MUST_NOT]
    return Score(
        performances=1,
        passed=int(performance.passed),
        failed_to_answer=int(judgement is None),
        wanted=len(wanted),
        found=sum(wanted),
        forbidden=len(forbidden),
        kept_out=sum(forbidden),
        proposals=judgement.proposals if judgement else 0,
        welcome=judgement.welcome if judgement else 0,
        model_calls=used.model_calls,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
    )


def _always(case: Mapping[str, Any]) -> bool:
    return bool(case["passed"] == case["performances"])


def _rate(cases: Iterable[Document]) -> float:
    listed = list(cases)
    return _share(sum(each["passed"] for each in listed), sum(each["performances"] for each in listed))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
