"""Effects: what an Agent's answer asks for, made ready to become proposals."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from contracts.agents import EffectKind
from contracts.effects import ANSWER_FIELDS, SHAPES, Confidence, Effect, MemoryDiff
from contracts.field_errors import field_errors
from shared.domain.effects.basis import Basis
from shared.domain.effects.changes import change_of, fault_of, tickets_of, title_of, too_large
from shared.domain.effects.evidence import evidence_of
from shared.domain.effects.memory_diff import memory_change, memory_faults

Document = dict[str, Any]


def effects_of(answer: Mapping[str, Any], kinds: Sequence[EffectKind], basis: Basis) -> tuple[Document, ...]:
    """Return the effects that the answer asks for and its Agent may have, numbered from 0.

    An effect that cannot become a proposal is kept, with the reason in `dropped`. References to evidence that do not
    hold are kept apart from those that do, each with its reason.
    """
    effects: list[Document] = []
    for kind in (each for each in kinds if each in ANSWER_FIELDS):
        for item in _entries(answer.get(ANSWER_FIELDS[kind])):
            effects.append({"index": len(effects), "kind": kind.value, **_effect(kind, item, basis)})
    return tuple(effects)


def _entries(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value
    return () if value is None else (value,)


def _effect(kind: EffectKind, item: Any, basis: Basis) -> Document:
    try:
        read = SHAPES[kind].model_validate(item)
    except ValidationError as error:
        wrong = field_errors(error)[0]
        return _unreadable(kind, wrong.message if wrong.field else "it is no object")
    evidence, left_out = evidence_of(read.evidence, basis.shown)
    return {
        **_proposed(read, basis),
        "reasoning": read.reasoning,
        "confidence": read.confidence.value,
        "evidence": evidence,
        "evidence_dropped": left_out,
        "ticket_ids": tickets_of(read),
    }


def _proposed(read: Effect, basis: Basis) -> Document:
    """Return title, change, the version that it was made on, and why it cannot become a proposal."""
    if isinstance(read, MemoryDiff):
        change, version = memory_change(read, basis)
        title = f"Remember in {read.owner} {read.block_label}.{read.field}"
        return {"title": title, "base_version": version, "change": change, "dropped": next(memory_faults(change), None)}
    change = change_of(read, basis)
    dropped = fault_of(read, change, basis) or too_large(change)
    return {"title": title_of(read), "base_version": None, "change": change, "dropped": dropped}


def _unreadable(kind: EffectKind, why: str) -> Document:
    return {
        "title": f"An entry of {ANSWER_FIELDS[kind]}",
        "reasoning": "",
        "confidence": Confidence.LOW.value,
        "evidence": [],
        "evidence_dropped": [],
        "ticket_ids": [],
        "base_version": None,
        "change": {},
        "dropped": why,
    }
