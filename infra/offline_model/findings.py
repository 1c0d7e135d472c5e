"""Finding what a text says that is worth a proposal: the rules that stand in for understanding."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from infra.offline_model.prose import dates, sentences, tickets
from infra.offline_model.sections import Material, Passage, read_material


class Kind(StrEnum):
    """What a sentence is."""

    PREFERENCE = "preference"
    DEFINITION = "definition"
    BLOCKER = "blocker"
    DECISION = "decision"
    ROUTINE = "routine"
    ROLE = "role"
    DONE = "done"
    REQUEST = "request"
    GOAL = "goal"
    WORK = "work"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence with a meaning, and where it stood."""

    kind: Kind
    sentence: str
    place: str

    @property
    def tickets(self) -> tuple[str, ...]:
        """The tickets that the sentence names."""
        return tickets(self.sentence)

    @property
    def dates(self) -> tuple[str, ...]:
        """The dates that the sentence names, in its words."""
        return dates(self.sentence)


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace("'", "['\u2019]"), re.IGNORECASE)


_UNTRUSTED = _rule(
    r"\b(ignore|disregard|forget)\b.{0,40}\b(instructions?|rules|prompts?)\b|\bsystem prompt\b|\byou are now\b"
)
_SECRET = _rule(
    r"\b(password|passphrase|api[ _-]?key|secret key|access token|private key|pin code)\b.{0,20}(\bis\b|:|=)"
    r"|\bsk-[a-z0-9_-]{8,}"
)
_NO_BLOCKER = _rule(
    r"^\W*(none|no|nothing|nope|n/?a|all good)\b.{0,30}$|\bno blockers?\b|\b(not|no longer) (blocked|stuck|waiting)\b"
    r"|\bunblocked\b|\bnothing (is )?block"
)
_RULES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.PREFERENCE,
        _rule(
            r"\b(prefers?|would rather|(i|we) (really )?(like|love|hate|dislike)|i (don't|do not) like|likes to)\b"
            r"|\bplease (always|never|don't|do not)\b|\bfrom now on\b|\bi (always|never)\b"
        ),
    ),
    (
        Kind.DEFINITION,
        _rule(r"^[\"“]?[\w-]{2,30}(?: [\w-]+)?[\"”]? (means|stands for|is short for|is our (name|word) for)\b"),
    ),
    (
        Kind.BLOCKER,
        _rule(
            r"\bblock(ed|er|ers|ing|s)?\b|\bwaiting (for|on)\b|\bstuck\b|\bheld up\b"
            r"|\b(can't|cannot|can not|couldn't)\b.{1,120}\b(because|until|without|before)\b"
        ),
    ),
    (
        Kind.DECISION,
        _rule(
            r"\b(decided|agreed|chose|settled) (to|on|that|against|with)\b|^\W*(decision|decided|agreed)\s*:"
            r"|\bwe (have )?(decided|agreed|chose)\b|\bwe('ll| will| are going to) (use|go with|stop|keep|switch)\b"
        ),
    ),
    (
        Kind.ROUTINE,
        _rule(
            r"\b(every|each) (\w+ )?(day|week|month|quarter|year|sprint|release|morning|evening|(mon|tues|fri)day)\b"
            r"|\b(every|each) (\w+ )?(wednes|thurs|satur|sun)day\b"
        ),
    ),
    (
        Kind.ROLE,
        _rule(
            r"^(owner|deputy|lead|maintainer|contact|reviewer|on call)\s*:|\b(owns|is responsible for|is in charge of)\b"
            r"|\bi('m| am) (the|a|an) (\w+ ){0,3}(engineer|designer|manager|lead|developer|analyst|owner)\b"
        ),
    ),
    (Kind.REQUEST, _rule(r"\b(open|create|file|raise|need|want|add)\b.{0,20}\b(a |new |another )*tickets?\b")),
    (
        Kind.DONE,
        _rule(
            r"\b(?<!not )(?<!be )(done|finished|completed|shipped|merged|fixed|closed|resolved|released|deployed"
            r"|delivered)\b"
        ),
    ),
    (
        Kind.GOAL,
        _rule(
            r"\b(deadline|due|launch|go(es)? live|milestone)\b|\b(my|our|the) (goal|aim|target)\b"
            r"|\b(i|we) (aim|want) to\b"
        ),
    ),
    (Kind.WORK, _rule(r"\b(i'm|i am|we're|we are|is|are)? ?(now |still |currently )*working on\b")),
)
_HEDGE = _rule(r"\b(maybe|perhaps|probably|might|could be|i think|not sure|considering)\b")
_KIND_OF_PLACE = {"blockers": Kind.BLOCKER, "blocker": Kind.BLOCKER, "today": Kind.PLAN, "yesterday": Kind.DONE}


@dataclass(frozen=True, slots=True)
class Reading:
    """An input, and what was found in it."""

    material: Material
    findings: tuple[Finding, ...]

    def of(self, *kinds: Kind) -> list[Finding]:
        """Return the findings of these kinds, in the order of the text."""
        return [each for each in self.findings if each.kind in kinds]


def read(text: str, told: Sequence[str] = ()) -> Reading:
    """Return what a text says, and what tools told about it."""
    material = read_material(text, told)
    return Reading(material, find(material))


def find(material: Material) -> tuple[Finding, ...]:
    """Return what the passages say, each sentence once, in their order."""
    already_said = _previous_sentences(material)
    found = (finding for passage in material.passages for finding in _in_passage(passage))
    return tuple({each.sentence: each for each in found if each.sentence not in already_said}.values())


def is_hedged(sentence: str) -> bool:
    """Return whether the sentence says that it may not be so."""
    return _HEDGE.search(sentence) is not None


def is_quotable(sentence: str) -> bool:
    """Return whether a sentence may be repeated: no secret, no attempt to give orders, no question."""
    return not (sentence.endswith("?") or _UNTRUSTED.search(sentence) or _SECRET.search(sentence))


def _previous_sentences(material: Material) -> frozenset[str]:
    previous = material.data.get("previous_text") if isinstance(material.data, dict) else None
    return frozenset(sentences(previous)) if isinstance(previous, str) else frozenset()


def _in_passage(passage: Passage) -> Iterator[Finding]:
    for sentence in sentences(passage.text):
        kind = _kind(sentence, passage.place) if is_quotable(sentence) else None
        if kind is not None:
            yield Finding(kind, sentence, passage.place)


def _kind(sentence: str, place: str) -> Kind | None:
    if place == "title":
        return None
    usual = _KIND_OF_PLACE.get(place)
    denies_a_blocker = _NO_BLOCKER.search(sentence) is not None
    if usual is Kind.BLOCKER:
        return None if denies_a_blocker else usual
    for kind, rule in _RULES:
        if rule.search(sentence) and not (kind is Kind.BLOCKER and denies_a_blocker):
            return kind
    return usual or (Kind.GOAL if dates(sentence) else None)
