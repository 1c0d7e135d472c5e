"""The title and the content of a proposal of each kind but memory."""

from collections.abc import Mapping
from typing import Any

import orjson
from jsonschema import Draft202012Validator

from contracts.effects import (
    CustomProposal,
    Duplicate,
    Effect,
    Epic,
    RoadmapItem,
    SessionUpdate,
    SnapshotDraft,
    TicketChange,
    TicketConflict,
)
from shared.domain.effects.basis import Basis

Document = dict[str, Any]
MOST_BYTES = 200_000
_OF_EVERY_KIND = {"reasoning", "confidence", "evidence"}
_BEFORE_TITLES: dict[type[Effect], str] = {
    RoadmapItem: "Add to the roadmap: ",
    Epic: "Add an epic: ",
    SnapshotDraft: "Review the snapshot: ",
    CustomProposal: "",
}


def title_of(item: Effect) -> str:
    """Return one line that says what is proposed."""
    match item:
        case TicketChange(action=action, title=title):
            return f"{action.capitalize()} ticket: {title}"
        case Duplicate(ticket_ids=ticket_ids, keep=keep):
            return f"Keep {keep}, close its duplicates: {', '.join(each for each in ticket_ids if each != keep)}"
        case TicketConflict(ticket_ids=ticket_ids):
            return f"Settle a conflict: {', '.join(ticket_ids)}"
        case RoadmapItem(title=title) | Epic(title=title) | SnapshotDraft(title=title) | CustomProposal(title=title):
            return f"{_BEFORE_TITLES[type(item)]}{title}"
        case _:
            return "Say in the session"


def change_of(item: Effect, basis: Basis) -> Document:
    """Return what is proposed, without what every kind says."""
    change = item.model_dump(mode="json", exclude=_OF_EVERY_KIND)
    if isinstance(item, SessionUpdate) and item.session_id is None:
        change["session_id"] = basis.session_id
    return change


def tickets_of(item: Effect) -> list[str]:
    """Return the tickets that an entry is about, each once."""
    match item:
        case TicketChange(ticket_id=str(ticket_id)):
            return [ticket_id]
        case Epic(ticket_ids=ticket_ids) | Duplicate(ticket_ids=ticket_ids) | TicketConflict(ticket_ids=ticket_ids):
            return list(dict.fromkeys(ticket_ids))
        case _:
            return []


def fault_of(item: Effect, change: Document, basis: Basis) -> str | None:
    """Return why the entry cannot become a proposal."""
    if isinstance(item, TicketChange) and item.ticket_id is None and item.action != "open":
        return f"ticket_id is null, so there is no ticket to {item.action}"
    if isinstance(item, SessionUpdate) and change["session_id"] is None:
        return "session_id is null, and the run is about no daily session"
    if isinstance(item, CustomProposal):
        return _custom_fault(item.content, basis.proposal_schema)
    return None


def too_large(change: Document) -> str | None:
    """Return that a change does not fit into the event that tells of its approval, if so."""
    size = len(orjson.dumps(change))
    return None if size <= MOST_BYTES else f"it has {size:,} bytes of JSON; at most {MOST_BYTES:,} are allowed"


def _custom_fault(content: Any, schema: Mapping[str, Any] | None) -> str | None:
    if schema is None:
        return "the Agent version has no proposal_schema"
    fault = next(Draft202012Validator(schema).iter_errors(content), None)
    return (
        None if fault is None else f"content does not satisfy proposal_schema: {fault.json_path}: {fault.message[:300]}"
    )
