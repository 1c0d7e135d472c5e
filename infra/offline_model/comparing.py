"""Comparing tickets by their words: the same wish twice, and wishes that contradict each other. In doubt neither."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.offline_model.findings import Reading, is_quotable
from infra.offline_model.particulars import Rarity, are_shared
from infra.offline_model.prose import shortened, words
from infra.offline_model.wording import Wording, actors, said_by_both, stem, stems, wording_of

Judged = dict[str, Any]

_OPPOSITES = (
    ("accept", "reject"),
    ("add", "remove"),
    ("allow", "forbid"),
    ("always", "never"),
    ("automatically", "manually"),
    ("enable", "disable"),
    ("enforce", "waive"),
    ("everybody", "nobody"),
    ("expand", "collapse"),
    ("include", "exclude"),
    ("increase", "decrease"),
    ("keep", "delete"),
    ("keep", "drop"),
    ("keep", "remove"),
    ("lock", "unlock"),
    ("mandatory", "optional"),
    ("open", "close"),
    ("optional", "required"),
    ("public", "private"),
    ("raise", "lower"),
    ("show", "hide"),
    ("start", "stop"),
)
_DENIALS = frozenset({"not", "never", "no", "without", "stop", "don't", "cannot", "missing", "lacks"})
_LEAST_SHARED = 2
_QUOTED_WORDS = 12


@dataclass(frozen=True, slots=True)
class Compared:
    """What two tickets are to each other, how surely, and why."""

    verdict: str
    confidence: str
    reasoning: str


@dataclass(frozen=True, slots=True)
class _Overlap:
    """How two wordings meet: the stems of both, and those that either has alone."""

    shared: int
    fewer_alone: int
    more_alone: int
    names_other_things: bool

    @classmethod
    def of(cls, one: Wording, other: Wording) -> "_Overlap":
        mine, theirs = one.deed | one.thing, other.deed | other.thing
        both = said_by_both(mine, theirs)
        fewer, more = sorted((len(mine - both), len(theirs - both)))
        # What only one of them says is a detail; a thing is another one where the other says something else in its place.
        things_alone = (one.thing - both) | (other.thing - both)
        return cls(min(len(mine & both), len(theirs & both)), fewer, more, bool(things_alone and fewer))


def judgements(reading: Reading) -> list[Judged]:
    """Return a judgement of each pair that the content lists, as their tickets' words say."""
    data = reading.material.data if isinstance(reading.material.data, dict) else {}
    texts = {str(each.get("ticket_id")): str(each.get("text") or "") for each in _objects(data.get("tickets"))}
    rarity = Rarity(Counter(word for text in texts.values() for word in stems(text)), len(texts))
    return [
        _judged(each, [texts.get(str(ticket_id), "") for ticket_id in each["tickets"]], rarity)
        for each in _objects(data.get("pairs"))
        if isinstance(each.get("tickets"), list)
    ]


def compared(one: str, other: str, rarity: Rarity) -> Compared:
    """Return what two texts, whose first lines are their titles, are to each other."""
    title, _, description = one.partition("\n")
    other_title, _, other_description = other.partition("\n")
    quotes = f'"{shortened(title, _QUOTED_WORDS)}" and "{shortened(other_title, _QUOTED_WORDS)}"'
    if contradiction := next(_contradictions(title, other_title), None):
        why, opposing = contradiction
        return _contradicting(f"They contradict each other ({why}): {quotes}.", opposing, title, other_title)
    left, right = wording_of(title), wording_of(other_title)
    overlap = _Overlap.of(left, right)
    if overlap.fewer_alone > overlap.shared or not overlap.shared:
        return Compared("neither", "high", "Their words differ.")
    if left.numbers != right.numbers or left.measures != right.measures:
        return Compared("neither", "medium", "Their numbers differ.")
    if overlap.names_other_things or (overlap.shared < _LEAST_SHARED and overlap.more_alone):
        return Compared("neither", "medium", "They name different things.")
    has = are_shared(description, other_description, rarity)
    return _alike(overlap, f"Both say the same: {quotes}.", has_particulars=has)


def _alike(overlap: _Overlap, why: str, *, has_particulars: bool) -> Compared:
    """Judge two titles that name no different things, by what they want of these."""
    if not overlap.more_alone:
        return Compared("duplicate", "high", why)
    if not overlap.fewer_alone and overlap.more_alone <= overlap.shared:
        return Compared("duplicate", "medium", why)
    if has_particulars and overlap.more_alone <= overlap.shared:
        return Compared("duplicate", "low", f"{why} The words for what is wanted differ, the particulars do not.")
    return Compared("neither", "low", "They want different things, or say so in other words.")


def _contradicting(why: str, opposing: frozenset[str], title: str, other_title: str) -> Compared:
    """Judge two titles that contradict each other if they are about one thing."""
    overlap = _Overlap.of(wording_of(title).without(opposing), wording_of(other_title).without(opposing))
    if not overlap.shared or overlap.fewer_alone or overlap.more_alone > overlap.shared:
        return Compared("neither", "medium", "They would contradict each other, but are about different things.")
    return Compared("conflict", "medium" if overlap.more_alone else "high", why)


def _contradictions(one: str, other: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield what speaks against doing both, with the stems that say so."""
    mine, theirs = set(words(one)), set(words(other))
    for verb, opposite in _OPPOSITES:
        if (verb in mine - theirs and opposite in theirs - mine) or (
            opposite in mine - theirs and verb in theirs - mine
        ):
            yield f"{verb} and {opposite}", frozenset({stem(verb), stem(opposite)})
    if bool(mine & _DENIALS) is not bool(theirs & _DENIALS):
        yield "one denies it", frozenset(map(stem, _DENIALS))
    for (alone, _), (_, let) in ((actors(one), actors(other)), (actors(other), actors(one))):
        if alone and let - alone:
            yield f"only {', '.join(sorted(alone))}, and {', '.join(sorted(let))}", alone | let
    measures, others = wording_of(one).measures, wording_of(other).measures
    if measures and others and measures.isdisjoint(others):
        yield f"{', '.join(sorted(measures))} and {', '.join(sorted(others))}", frozenset()


def _judged(pair: Mapping[str, Any], texts: Sequence[str], rarity: Rarity) -> Judged:
    known = len(texts) == 2 and all(text and is_quotable(text.partition("\n")[0]) for text in texts)
    found = (
        compared(texts[0], texts[1], rarity)
        if known
        else Compared("neither", "low", "One of them says nothing of itself.")
    )
    return {
        "pair": pair.get("pair"),
        "verdict": found.verdict,
        "reasoning": found.reasoning,
        "confidence": found.confidence,
    }


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
