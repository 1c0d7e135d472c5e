"""What a scan comes to: groups of duplicates, conflicts, and a summary. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from contracts.effects import Confidence
from services.runner.agents.ticket_scan.packing import groups
from shared.domain.ticket import JudgedPair, PairKey, Ticket, age

Document = dict[str, Any]

_SUREST_LAST = tuple(Confidence)
_LONGEST_REASONING = 1_500
_MOST_ITEMS = 20
_MOST_OF_A_GROUP = 5


class Verdict(StrEnum):
    """What two tickets are to each other."""

    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model says of a pair."""

    pair: PairKey
    verdict: Verdict
    reasoning: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class Figures:
    """What a scan took: `changed` tickets were embedded, `known` pairs were judged before, `left` ones are for the next."""

    tickets: int = 0
    changed: int = 0
    candidates: int = 0
    known: int = 0
    compared: int = 0
    left: int = 0
    model_calls: int = 0
    embedding_calls: int = 0
    embedding_tokens: int = 0


def output_of(
    judgements: Sequence[Judgement], tickets: Mapping[str, Ticket], figures: Figures, *, is_nightly: bool
) -> Document:
    """Return the run's output, in the shape of an answer: what it found, what it took, and at night a word for the day."""
    duplicates = _duplicates(judgements, tickets)
    conflicts = [_conflict(each, tickets) for each in judgements if each.verdict is Verdict.CONFLICT]
    summary = _summary(len(duplicates), len(conflicts), figures)
    output: Document = {
        "summary": summary,
        "figures": asdict(figures),
        "duplicates": duplicates,
        "conflicts": conflicts,
    }
    if is_nightly:
        output["session_updates"] = [_session_update(summary, duplicates, conflicts)]
    return output


def judged_pairs(judgements: Sequence[Judgement], tickets: Mapping[str, Ticket]) -> list[JudgedPair]:
    """Return what is remembered of the judgements."""
    return [
        JudgedPair(each.pair, (tickets[each.pair[0]].text_hash, tickets[each.pair[1]].text_hash), each.verdict)
        for each in judgements
    ]


def _duplicates(judgements: Sequence[Judgement], tickets: Mapping[str, Ticket]) -> list[Document]:
    """Return an entry for tickets that are duplicates of each other, directly or by others; the oldest stays.

    A long chain says more of mistakes than of its two ends: it is told pair by pair.
    """
    found = {each.pair: each for each in judgements if each.verdict is Verdict.DUPLICATE}
    entries = []
    for group in (part for chain in groups(found) for part in _told_together(chain)):
        members = sorted({tickets[each] for pair in group for each in pair}, key=age)
        entries.append(
            {
                "ticket_ids": [each.id for each in members],
                "keep": members[0].id,
                **_grounds([found[pair] for pair in group], members),
            }
        )
    return entries


def _told_together(chain: list[PairKey]) -> list[list[PairKey]]:
    is_short = len({each for pair in chain for each in pair}) <= _MOST_OF_A_GROUP
    return [chain] if is_short else [[pair] for pair in chain]


def _conflict(judgement: Judgement, tickets: Mapping[str, Ticket]) -> Document:
    members = sorted((tickets[each] for each in judgement.pair), key=age)
    return {
        "ticket_ids": [each.id for each in members],
        "explanation": judgement.reasoning[:_LONGEST_REASONING],
        **_grounds([judgement], members),
    }


def _grounds(judgements: Sequence[Judgement], members: Sequence[Ticket]) -> Document:
    """Return why: the reasons, the least confidence among them, and the event that told each ticket last."""
    return {
        "reasoning": " ".join(each.reasoning for each in judgements)[:_LONGEST_REASONING],
        "confidence": min((each.confidence for each in judgements), key=_SUREST_LAST.index).value,
        "evidence": [{"type": "event", "id": each.event_id, "quote": each.title} for each in members],
    }


def _summary(duplicates: int, conflicts: int, figures: Figures) -> str:
    compared = f"{figures.tickets} open tickets, {figures.changed} of them new or changed. "
    asked = f"{figures.compared} likely pairs were compared in {figures.model_calls} calls: "
    found = f"{duplicates} groups of duplicates and {conflicts} conflicts."
    known = f" {figures.known} pairs were judged before and have not changed." if figures.known else ""
    left = f" {figures.left} pairs are left for the next scan." if figures.left else ""
    return f"{compared}{asked}{found}{known}{left}"


def _session_update(summary: str, duplicates: Sequence[Document], conflicts: Sequence[Document]) -> Document:
    items = [f"Duplicates: {', '.join(each['ticket_ids'])}" for each in duplicates]
    items += [f"Conflict: {', '.join(each['ticket_ids'])}" for each in conflicts]
    return {
        "session_id": None,
        "text": summary,
        "items": items[:_MOST_ITEMS],
        "reasoning": "The nightly scan of the project's tickets has ended.",
        "confidence": Confidence.HIGH.value,
        "evidence": [],
    }
