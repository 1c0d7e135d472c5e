"""Comparing tickets by their words: the same wish twice, and wishes that contradict each other."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from infra.offline_model.findings import Reading, is_quotable
from infra.offline_model.prose import shortened, topic_words

Found = dict[str, Any]

_DUPLICATE_FROM = 0.6
_RELATED_FROM = 0.4
_OPPOSITES = (
    ("add", "remove"),
    ("allow", "forbid"),
    ("enable", "disable"),
    ("increase", "decrease"),
    ("keep", "drop"),
    ("show", "hide"),
    ("start", "stop"),
)
_QUOTED_WORDS = 12
_LONGEST_TITLE = 80


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tickets that have words in common, the older first; `opposites` are the verbs that contradict each other."""

    older: Mapping[str, Any]
    younger: Mapping[str, Any]
    likeness: float
    opposites: tuple[str, str] | None

    @property
    def is_duplicate(self) -> bool:
        return self.opposites is None and self.likeness >= _DUPLICATE_FROM

    @property
    def is_conflict(self) -> bool:
        return self.opposites is not None and self.likeness >= _RELATED_FROM


def duplicates(reading: Reading) -> list[Found]:
    """Return pairs of tickets whose titles say the same."""
    return [_found(each, "Both say the same") for each in _pairs(reading) if each.is_duplicate]


def conflicts(reading: Reading) -> list[Found]:
    """Return pairs of tickets about the same thing that want opposite things of it."""
    return [_found(each, "They contradict each other") for each in _pairs(reading) if each.is_conflict]


def summary(reading: Reading) -> str:
    """Return how many tickets were compared, and what was found."""
    found = f"{len(duplicates(reading))} duplicates and {len(conflicts(reading))} conflicts"
    return f"{len(_open(reading))} open tickets were compared: {found}."


def ticket_changes(reading: Reading) -> list[Found]:
    """Return a change for the younger ticket of each pair, at most one for each ticket."""
    changes = {each.younger["ticket_id"]: _change(each) for each in _pairs(reading) if each.is_conflict}
    changes |= {each.younger["ticket_id"]: _change(each) for each in _pairs(reading) if each.is_duplicate}
    return list(changes.values())


def _pairs(reading: Reading) -> Iterator[Pair]:
    data = reading.material.data
    asked = set(data.get("ticket_ids") or ()) if isinstance(data, dict) else set()
    for older, younger in combinations(sorted(_open(reading), key=_age), 2):
        if not asked or asked & {older["ticket_id"], younger["ticket_id"]}:
            yield _compared(older, younger)


def _open(reading: Reading) -> list[Mapping[str, Any]]:
    return [each for each in reading.material.tickets if not each.get("closed") and is_quotable(_title(each))]


def _age(ticket: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Return what sorts ids as people count them: APO-9 before APO-10."""
    parts = re.split(r"(\d+)", str(ticket["ticket_id"]))
    return [(int(part), "") if part.isdigit() and part.isascii() else (0, part) for part in parts]


def _compared(older: Mapping[str, Any], younger: Mapping[str, Any]) -> Pair:
    mine, theirs = set(topic_words(_title(older))), set(topic_words(_title(younger)))
    opposites = next(_contradictions(mine, theirs), None)
    verbs = set(opposites or ())
    return Pair(older, younger, _likeness(mine - verbs, theirs - verbs), opposites)


def _contradictions(mine: set[str], theirs: set[str]) -> Iterator[tuple[str, str]]:
    for one, other in _OPPOSITES:
        if (one in mine and other in theirs) or (other in mine and one in theirs):
            yield one, other


def _likeness(mine: Iterable[str], theirs: Iterable[str]) -> float:
    both, either = set(mine) & set(theirs), set(mine) | set(theirs)
    return len(both) / len(either) if either else 0.0


def _found(pair: Pair, why: str) -> Found:
    return {
        "ticket_ids": [pair.older["ticket_id"], pair.younger["ticket_id"]],
        "reason": f"{why}: {_quotes(pair)}",
        "confidence": _confidence(pair),
    }


def _change(pair: Pair) -> Found:
    older = pair.older["ticket_id"]
    settle = f"Settle with {older} first: one of them cannot be done."
    return {
        "action": "close" if pair.is_duplicate else "update",
        "ticket_id": pair.younger["ticket_id"],
        "title": _title(pair.younger)[:_LONGEST_TITLE],
        "change": f"Duplicate of {older}, which stays." if pair.is_duplicate else settle,
        "reasoning": f"The tickets say: {_quotes(pair)}",
        "confidence": _confidence(pair),
    }


def _quotes(pair: Pair) -> str:
    return " and ".join(f'"{shortened(_title(each), _QUOTED_WORDS)}"' for each in (pair.older, pair.younger))


def _confidence(pair: Pair) -> str:
    return "high" if pair.likeness == 1.0 else "medium"


def _title(ticket: Mapping[str, Any]) -> str:
    return str(ticket.get("title") or "")
