"""Made-up tickets, all different but for those that are planted: the same wish in other words, and contradictions."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.scan.vocabulary import (
    ACTIONS,
    COMPONENTS,
    CONTRADICTIONS,
    CUSTOMERS,
    DAYS,
    PEOPLE,
    QUALITIES,
    REASONS,
    REMARKS,
    SYNONYMS,
    THINGS,
)

Pair = frozenset[str]
_WORD = re.compile(r"[A-Za-z]+")
_TYPOS = 0.04
_SYNONYM = 0.7


@dataclass(frozen=True, slots=True)
class MadeTicket:
    """A ticket as a product would tell of it."""

    id: str
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Planted:
    """All tickets in a random order, and the pairs among them that a scan should find."""

    tickets: tuple[MadeTicket, ...]
    duplicates: frozenset[Pair]
    conflicts: frozenset[Pair]


def plant(tickets: int, duplicates: int, conflicts: int, seed: int) -> Planted:
    """Return so many tickets with so many planted pairs; the same seed gives the same ones.

    Raises ValueError where there are not enough different things to say, or too few tickets for the pairs.
    """
    chance = random.Random(seed)  # noqa: S311 - made-up texts
    plain = tickets - duplicates - 2 * conflicts
    subjects = [(each, f"{quality} {thing}") for each in COMPONENTS for quality in QUALITIES for thing in THINGS]
    if not duplicates <= plain <= len(subjects) - conflicts:
        raise ValueError(f"tickets: {tickets} cannot be {plain} different ones with {duplicates} doubles among them")
    chance.shuffle(subjects)
    contested, others = subjects[:conflicts], subjects[conflicts:]
    texts = [_plain(subject, chance) for subject in others[:plain]]
    texts += [_other_words(*texts[index], chance) for index in range(duplicates)]
    texts += [text for subject in contested for text in _contradicting(subject, chance)]
    numbers = chance.sample(range(1, tickets + 1), tickets)
    ids = [f"PLAN-{number}" for number in numbers]
    listed = sorted(
        (MadeTicket(id_, title, description) for id_, (title, description) in zip(ids, texts, strict=True)),
        key=lambda ticket: ticket.id,
    )
    return Planted(
        tuple(listed),
        frozenset(frozenset({ids[index], ids[plain + index]}) for index in range(duplicates)),
        frozenset(frozenset(ids[start : start + 2]) for start in range(plain + duplicates, tickets, 2)),
    )


def _plain(subject: tuple[str, str], chance: random.Random) -> tuple[str, str]:
    return _titled(chance.choice(ACTIONS), subject), _reasons(chance, chance.randint(1, 3))


def _contradicting(subject: tuple[str, str], chance: random.Random) -> Iterator[tuple[str, str]]:
    for title in chance.choice(CONTRADICTIONS):
        yield _titled(title, subject), _reasons(chance, 1)


def _titled(title: str, subject: tuple[str, str]) -> str:
    filled = title.format(component=subject[0], aspect=subject[1])
    return f"{filled[:1].upper()}{filled[1:]}"


def _reasons(chance: random.Random, count: int) -> str:
    return " ".join(
        reason.format(
            customer=chance.choice(CUSTOMERS),
            person=chance.choice(PEOPLE),
            day=chance.choice(DAYS),
            version=f"{chance.randint(1, 9)}.{chance.randint(0, 40)}",
            error=f"E{chance.randint(1_000, 9_999)}",
            number=chance.randint(2, 90),
        )
        for reason in chance.sample(REASONS, count)
    )


def _other_words(title: str, description: str, chance: random.Random) -> tuple[str, str]:
    """Say the same as somebody else would: with synonyms, in another order, with typing errors and half of the reasons."""
    changes: list[Callable[[str, random.Random], str]] = [_synonyms, _turned, _typos]
    said = title
    for change in changes:
        said = change(said, chance)
    known = re.split(r"(?<=[.]) (?=[A-Z])", description)
    kept = chance.sample(known, (len(known) + 1) // 2)
    return said, " ".join([_typos(_synonyms(each, chance), chance) for each in kept] + [chance.choice(REMARKS)])


def _synonyms(text: str, chance: random.Random) -> str:
    def other(found: re.Match[str]) -> str:
        choices = SYNONYMS.get(found[0].lower())
        return chance.choice(choices) if choices and chance.random() < _SYNONYM else found[0]

    return _WORD.sub(other, text)


def _turned(title: str, chance: random.Random) -> str:
    """Put the thing that it is about in front: another structure of the same sentence."""
    for component in COMPONENTS:
        if component in title.lower() and chance.random() < _SYNONYM:
            named = rf"\s*(?:of|in|to|by)?\s*(?:the )?{re.escape(component)}\s*"
            rest = re.sub(named, " ", title, flags=re.IGNORECASE).strip()
            return f"{component.capitalize()}: {rest[:1].lower()}{rest[1:]}"
    return title


def _typos(text: str, chance: random.Random) -> str:
    """Swap two letters inside a few of the longer words."""

    def typed(found: re.Match[str]) -> str:
        word = found[0]
        if len(word) < 6 or chance.random() >= _TYPOS:
            return word
        at = chance.randrange(1, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return _WORD.sub(typed, text)
