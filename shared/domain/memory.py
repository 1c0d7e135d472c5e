"""Memory blocks, and whether a proposed memory diff still fits the text it was made for."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.agents import MemoryOwner
from contracts.ids import derived_id
from shared.domain.rebase import rebase

LONGEST_TEXT: Final = 100_000
"""Characters of a field that a person may write."""


class Operation(StrEnum):
    """How a memory diff changes its field: `llm_diff` proposes the whole merged text, like `replace`."""

    APPEND = "append"
    REPLACE = "replace"
    LLM_DIFF = "llm_diff"


class Action(StrEnum):
    """What made a version of a block."""

    APPROVED = "approved"
    UNDONE = "undone"
    EDITED = "edited"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose memory: a user's or a project's."""

    type: MemoryOwner
    id: str


@dataclass(frozen=True, slots=True)
class Fits:
    """The diff can be applied, and the field then has this text; rebased, when it was made on an older one."""

    text: str
    is_rebased: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody changed the same place of the field after the Agent had read it."""

    current_value: str


def block_id(organisation: str, owner: Owner, label: str) -> str:
    """Return the id of the only block with this label that this owner can have."""
    return derived_id("mem", organisation, owner.type, owner.id, label)


def fit(operation: Operation, seen: str, proposed: str, current: str) -> Fits | Stale:
    """Decide what a diff made on the text `seen` does to the text that is there now.

    Appending never overwrites, so it fits any text; lines that already stand there together are not written twice.
    Everything else is rebased onto a text that has changed since, and is stale where both changed the same place.
    """
    match operation:
        case Operation.APPEND:
            if f"\n{proposed}\n" in f"\n{current}\n":
                return Fits(current)
            return Fits(f"{current}\n{proposed}" if current else proposed)
        case Operation.REPLACE | Operation.LLM_DIFF:
            if current == seen:
                return Fits(proposed)
            text = rebase(seen, current, proposed)
            return Stale(current) if text is None else Fits(text, is_rebased=True)


def with_text(fields: Mapping[str, str], field: str, text: str) -> dict[str, str]:
    """Return the fields with this text in one of them; without a text there is no such field."""
    others = {name: value for name, value in fields.items() if name != field}
    return {**others, field: text} if text else others
