"""Comparing tickets by their words: the same wish twice, and wishes that contradict each other."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from infra.offline_model.findings import Reading, is_quotable
from infra.offline_model.prose import shortened, topic_words, words

Judged = dict[str, Any]

_DUPLICATE_FROM = 0.55
_RELATED_FROM = 0.4
_OPPOSITES = (
    ("accept", "reject"),
    ("add", "remove"),
    ("allow", "forbid"),
    ("always", "never"),
    ("enable", "disable"),
    ("increase", "decrease"),
    ("everybody", "only"),
    ("keep", "drop"),
    ("optional", "required"),
    ("public", "private"),
    ("show", "hide"),
    ("start", "stop"),
)
_DENIALS = frozenset({"not", "never", "no", "without", "stop", "don't", "cannot"})
_SPELLED_ALIKE_FROM = 0.84
_ENDINGS = ("ing", "ed", "es", "s", "e")
_SHORTEST_STEM = 3
_NUMBER = re.compile(r"\d+")
_QUOTED_WORDS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tickets: how alike all that they say is, and their titles alone, and what speaks against doing both."""

    one: str
    other: str
    likeness: float
    likeness_of_titles: float
    contradiction: str | None

    @property
    def verdict(self) -> str:
        if self.contradiction is not None:
            return "conflict" if self.likeness_of_titles >= _RELATED_FROM else "neither"
        return "duplicate" if self.likeness >= _DUPLICATE_FROM else "neither"

    @property
    def reasoning(self) -> str:
        quotes = f'"{shortened(self.one, _QUOTED_WORDS)}" and "{shortened(self.other, _QUOTED_WORDS)}"'
        match self.verdict:
            case "duplicate":
                return f"Both say the same: {quotes}."
            case "conflict":
                return f"They contradict each other ({self.contradiction}): {quotes}."
            case _:
                return "Their words differ."


def judgements(reading: Reading) -> list[Judged]:
    """Return a judgement of each pair that the content lists, as their tickets' words say."""
    data = reading.material.data if isinstance(reading.material.data, dict) else {}
    texts = {each.get("ticket_id"): str(each.get("text") or "") for each in _objects(data.get("tickets"))}
    return [
        _judged(each, [texts.get(ticket_id, "") for ticket_id in each["tickets"]])
        for each in _objects(data.get("pairs"))
        if isinstance(each.get("tickets"), list)
    ]


def compared(one: str, other: str) -> Pair:
    """Return how two texts, whose first lines are their titles, go together."""
    title, other_title = one.partition("\n")[0], other.partition("\n")[0]
    contradiction = next(_contradictions(title, other_title), None)
    verbs = frozenset(_stem(verb) for pair in _OPPOSITES for verb in pair) if contradiction else frozenset()
    return Pair(
        title,
        other_title,
        _likeness(_stems(one), _stems(other)),
        _likeness(_stems(title) - verbs, _stems(other_title) - verbs),
        contradiction,
    )


def _judged(pair: Mapping[str, Any], texts: list[str]) -> Judged:
    known = len(texts) == 2 and all(text and is_quotable(text.partition("\n")[0]) for text in texts)
    found = compared(texts[0], texts[1]) if known else Pair("", "", 0.0, 0.0, None)
    confidence = "high" if found.likeness == 1.0 else "medium"
    return {
        "pair": pair.get("pair"),
        "verdict": found.verdict,
        "reasoning": found.reasoning,
        "confidence": confidence,
    }


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _contradictions(one: str, other: str) -> Iterator[str]:
    mine, theirs = set(words(one)), set(words(other))
    for verb, opposite in _OPPOSITES:
        if (verb in mine and opposite in theirs) or (opposite in mine and verb in theirs):
            yield f"{verb} and {opposite}"
    if bool(mine & _DENIALS) is not bool(theirs & _DENIALS):
        yield "one denies it"
    numbers, others = set(_NUMBER.findall(one)), set(_NUMBER.findall(other))
    if numbers and others and numbers.isdisjoint(others):
        yield f"{', '.join(sorted(numbers))} and {', '.join(sorted(others))}"


def _likeness(mine: Iterable[str], theirs: Iterable[str]) -> float:
    """Return the part of all words that both have, however they are spelled."""
    left, right = set(mine), set(theirs)
    both = left & right
    alike = sum(any(_spelled_alike(word, other) for other in right - both) for word in left - both)
    either = len(left | right) - alike
    return (len(both) + alike) / either if either else 0.0


def _spelled_alike(one: str, other: str) -> bool:
    return one[0] == other[0] and SequenceMatcher(None, one, other).ratio() >= _SPELLED_ALIKE_FROM


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(_stem, topic_words(text)))


def _stem(word: str) -> str:
    ending = next((each for each in _ENDINGS if word.endswith(each)), "")
    return word.removesuffix(ending) if len(word) - len(ending) >= _SHORTEST_STEM else word
