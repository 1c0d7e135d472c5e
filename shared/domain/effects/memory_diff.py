"""A change of memory, with the text and the version that the Agent had seen."""

import re
from collections.abc import Iterator
from typing import Any

from contracts.agents import MemoryOwner
from contracts.effects import MemoryDiff
from shared.domain.effects.basis import Basis

Document = dict[str, Any]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def memory_change(item: MemoryDiff, basis: Basis) -> tuple[Document, int]:
    """Return the change, and the version of the block that it was made on: 0 when there was none."""
    owner = MemoryOwner(item.owner)
    block = next((each for each in basis.seen if each.owner is owner and each.label == item.block_label), None)
    change = {
        "owner": {"type": owner.value, "id": basis.owners[owner]},
        "block_label": item.block_label,
        "field": item.field,
        "operation": item.operation,
        "current_value": "" if block is None else block.fields.get(item.field, ""),
        "proposed_value": item.proposed_value,
    }
    return change, 0 if block is None else block.version


def memory_faults(change: Document) -> Iterator[str]:
    """Yield why the change cannot become a proposal."""
    owner = change["owner"]
    if owner["id"] is None:
        yield f"the event names no {owner['type']}, so there is no such memory"
    for name in ("block_label", "field"):
        if not _NAME.fullmatch(change[name]):
            yield f"{name} '{change[name][:64]}' is not a name in snake_case"
    if change["proposed_value"] == change["current_value"]:
        yield "the memory says this already"
