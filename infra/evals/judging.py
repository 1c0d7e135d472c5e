"""Judging: what came of a case beside what must and must not. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts.effects import ANSWER_FIELDS, EffectKind
from infra.evals.case import Case, Pattern

Document = dict[str, Any]


class Rule(StrEnum):
    """Which of its two halves a verdict is about: what must be found, or what must be kept out."""

    MUST = "must"
    MUST_NOT = "must not"


@dataclass(frozen=True, slots=True)
class Item:
    """A proposal, with its `kind`, or a part of one or of the answer; `inside` is the field that it stands in."""

    kind: str | None
    inside: str | None
    values: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation of a case, and whether it held."""

    rule: Rule
    text: str
    held: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts, and of how many proposals how many were asked for or allowed."""

    verdicts: tuple[Verdict, ...]
    proposals: int
    welcome: int

    @property
    def passed(self) -> bool:
        return all(verdict.held for verdict in self.verdicts)


def judge(case: Case, kinds: Sequence[EffectKind], output: Mapping[str, Any], effects: Sequence[Document]) -> Judgement:
    """Hold an answer of an Agent that may propose these kinds, and its effects, against what the case expects."""
    turned = {ANSWER_FIELDS[kind] for kind in kinds}
    answered = {name: value for name, value in output.items() if name not in turned}
    items = [*_proposals(effects), *_parts(answered)]
    proposals = [item for item in items if item.kind is not None]
    welcome = sum(any(matches(pattern, item) for pattern in (*case.must, *case.may)) for item in proposals)
    return Judgement(tuple(_verdicts(case, items)), len(proposals), welcome)


def matches(pattern: Pattern, item: Item) -> bool:
    """Whether this is what the pattern describes."""
    if pattern.kind is None and pattern.inside is None and item.kind is None:
        return False
    if pattern.kind is not None and pattern.kind.value != item.kind:
        return False
    if pattern.inside is not None and pattern.inside != item.inside:
        return False
    if not all(_holds(item.values.get(name), wanted) for name, wanted in pattern.where.items()):
        return False
    return pattern.says is None or re.search(pattern.says, item.text, re.IGNORECASE | re.DOTALL) is not None


def _verdicts(case: Case, items: Sequence[Item]) -> Iterator[Verdict]:
    for pattern in case.must:
        yield Verdict(Rule.MUST, str(pattern), any(matches(pattern, item) for item in items))
    for pattern in case.must_not:
        yield Verdict(Rule.MUST_NOT, str(pattern), not any(matches(pattern, item) for item in items))
    counts = Counter(name for item in items for name in (item.kind, item.inside))
    for name, most in case.most.items():
        yield Verdict(Rule.MUST_NOT, f"more than {most} of {name} (there are {counts[name]})", counts[name] <= most)
    if case.nothing:
        made = sum(item.kind not in (None, EffectKind.SESSION_UPDATE) for item in items)
        yield Verdict(Rule.MUST_NOT, f"any proposal (there are {made})", made == 0)


def _holds(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, list):
        return all(each in actual for each in (wanted if isinstance(wanted, list) else [wanted]))
    return bool(actual == wanted)


def _proposals(effects: Iterable[Document]) -> Iterator[Item]:
    for effect in effects:
        if effect["dropped"] is None:
            change = effect["change"]
            owner = {"owner": change["owner"]["type"]} if isinstance(change.get("owner"), dict) else {}
            inside = ANSWER_FIELDS[EffectKind(effect["kind"])]
            yield Item(effect["kind"], inside, {**change, **owner}, "\n".join(_texts(change)))
            yield from _parts(change)


def _parts(fields: Mapping[str, Any]) -> Iterator[Item]:
    for name, value in fields.items():
        for part in value if isinstance(value, list) else [value]:
            values = part if isinstance(part, dict) else {}
            yield Item(None, name, values, "\n".join(_texts(part)))
            yield from _parts(values)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
