"""Effects: what an Agent's answer asks for, made ready to become proposals."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.agents import EffectKind, MemoryOwner

Document = dict[str, Any]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

ANSWER_FIELDS = {EffectKind.MEMORY_DIFF: "memory_diffs", EffectKind.TICKET_CHANGE: "ticket_changes"}
"""The field of an answer that holds the effects of each kind."""


@dataclass(frozen=True, slots=True)
class SeenBlock:
    """A memory block as the Agent was shown it."""

    owner: MemoryOwner
    owner_id: str
    label: str
    version: int
    fields: Mapping[str, str]


def effects_of(
    answer: Mapping[str, Any],
    kinds: Sequence[EffectKind],
    owners: Mapping[MemoryOwner, str | None],
    seen: Sequence[SeenBlock],
) -> tuple[Document, ...]:
    """Return the effects that the answer asks for and its Agent may have, numbered from 0.

    `owners` says whose memory `user` and `project` mean here. An effect that cannot become a proposal is kept, with
    the reason in `dropped`.
    """
    effects: list[Document] = []
    for kind in kinds:
        for item in answer.get(ANSWER_FIELDS[kind]) or ():
            made = _memory_diff(item, owners, seen) if kind is EffectKind.MEMORY_DIFF else _ticket_change(item)
            effects.append({"index": len(effects), "kind": kind.value, **made})
    return tuple(effects)


def _memory_diff(
    item: Mapping[str, Any], owners: Mapping[MemoryOwner, str | None], seen: Sequence[SeenBlock]
) -> Document:
    owner, label, field = MemoryOwner(item["owner"]), item["block_label"], item["field"]
    block = next((block for block in seen if block.owner is owner and block.label == label), None)
    change = {
        "owner": {"type": owner.value, "id": owners[owner]},
        "block_label": label,
        "field": field,
        "operation": item["operation"],
        "current_value": "" if block is None else block.fields.get(field, ""),
        "proposed_value": item["proposed_value"],
    }
    return {
        "title": f"Remember in {owner.value} {label}.{field}",
        "reasoning": item["reasoning"],
        "confidence": item["confidence"],
        "base_version": 0 if block is None else block.version,
        "change": change,
        "dropped": next(_faults(change), None),
    }


def _faults(change: Document) -> Iterator[str]:
    owner = change["owner"]
    if owner["id"] is None:
        yield f"the event names no {owner['type']}, so there is no such memory"
    for name in ("block_label", "field"):
        if not _NAME.fullmatch(change[name]):
            yield f"{name} '{change[name][:64]}' is not a name in snake_case"
    if change["proposed_value"] == change["current_value"]:
        yield "the memory says this already"


def _ticket_change(item: Mapping[str, Any]) -> Document:
    fields = ("action", "ticket_id", "title", "change")
    return {
        "title": f"{item['action'].capitalize()} ticket: {item['title']}",
        "reasoning": item["reasoning"],
        "confidence": item["confidence"],
        "base_version": None,
        "change": {name: item[name] for name in fields},
        "dropped": None,
    }
