"""Memory blocks, and whether a proposed memory diff still fits the text it was made for."""

from dataclasses import dataclass
from enum import StrEnum

from contracts.agents import MemoryOwner
from contracts.ids import derived_id


class Operation(StrEnum):
    """How a memory diff changes its field: `llm_diff` proposes the whole merged text, like `replace`."""

    APPEND = "append"
    REPLACE = "replace"
    LLM_DIFF = "llm_diff"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose memory: a user's or a project's."""

    type: MemoryOwner
    id: str


@dataclass(frozen=True, slots=True)
class Fits:
    """The diff can be applied, and the field then has this text."""

    text: str


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody changed the field after the Agent had read it."""

    current_value: str


def block_id(organisation: str, owner: Owner, label: str) -> str:
    """Return the id of the only block with this label that this owner can have."""
    return derived_id("mem", organisation, owner.type, owner.id, label)


def fit(operation: Operation, seen: str, proposed: str, current: str) -> Fits | Stale:
    """Decide what a diff made on the text `seen` does to the text that is there now.

    Appending never overwrites, so it fits any text; lines that already stand there together are not written twice.
    Everything else fits only the text that the Agent saw.
    """
    match operation:
        case Operation.APPEND:
            if f"\n{proposed}\n" in f"\n{current}\n":
                return Fits(current)
            return Fits(f"{current}\n{proposed}" if current else proposed)
        case Operation.REPLACE | Operation.LLM_DIFF:
            return Fits(proposed) if current == seen else Stale(current)
