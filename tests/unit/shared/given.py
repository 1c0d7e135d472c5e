"""Well-formed things of the domain, for tests to change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.lanes import Lane
from contracts.registry import parse
from shared.domain.configuration import AgentVersion
from shared.domain.decision import RunDecided, Target
from shared.domain.run import ACTIVE, RunError, RunStatus
from shared.domain.ticket import TicketFact
from shared.store.run_documents import NewRun, error_document, run_document
from tests.unit.contracts.examples import Attributes, changed

Document = dict[str, Any]

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=7)

PRINTABLE = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Zs"))
IDENTIFIERS = st.text(PRINTABLE, min_size=1, max_size=128)
"""Ids as backends may give them."""


def an_event(type: str = "checkin.submitted", *, data: Attributes | None = None, **attributes: Any) -> Event:
    """Return the recorded example of an event, with other attributes and data."""
    return parse(changed(type, data=data, **attributes))


def a_spec(key: str = "noter", **changes: Any) -> AgentSpec:
    """Return an Agent that needs no model, with other fields."""
    return AgentSpec.model_validate({"key": key, "name": key.capitalize(), "handler": "noop"} | changes)


def triggered(key: str = "noter", event: str = "checkin.submitted", target: str = "{id}", **changes: Any) -> AgentSpec:
    """Return an Agent with one trigger."""
    return a_spec(key, triggers=[{"event": event, "target": {"type": "thing", "id": target}}], **changes)


def a_version(spec: AgentSpec | None = None, number: int = 1) -> AgentVersion:
    """Return a published version of an Agent."""
    return AgentVersion(number, spec or a_spec())


def a_new_run(id: str = "run_1", **changes: Any) -> NewRun:
    """Return a run as the gate starts it, with other fields."""
    run = NewRun(
        id=id,
        event_key="ev_1",
        event_id="event-1",
        event_type="checkin.submitted",
        organisation="acme",
        project="apollo",
        user="ada",
        agent_key="noter",
        agent_version=1,
        target=Target("doc", "plan"),
        lane=Lane.MEDIUM,
        queued_at=NOW,
    )
    return replace(run, **changes)


def a_stored_run(status: RunStatus = RunStatus.QUEUED, run: NewRun | None = None, **changes: Any) -> Document:
    """Return a run as it is stored once it has this status for the first time."""
    stored = run_document(run or a_new_run())
    if status is RunStatus.QUEUED:
        return stored | changes
    stored |= {"status": status, "attempt": 1, "owner": "runner-1", "started_at": NOW, "changed_at": LATER}
    if status in ACTIVE:
        return stored | changes
    is_completed = status is RunStatus.COMPLETED
    ended = {
        "finished_at": LATER,
        "usage": {"input_tokens": 12, "output_tokens": 7, "model_calls": 1},
        "output_json": '{"summary":"well"}' if is_completed else None,
        "effects": [a_memory_effect()] if is_completed else [],
        "error": None if is_completed else error_document(RunError("model_refused", "The model declined.")),
    }
    return stored | ended | changes


def a_memory_effect(index: int = 0, **changes: Any) -> Document:
    """Return an effect that becomes a memory diff; keyword arguments change the diff itself."""
    change = {
        "owner": {"type": "user", "id": "ada"},
        "block_label": "preferences",
        "field": "reviews",
        "operation": "replace",
        "current_value": "",
        "proposed_value": "mornings",
    }
    return {
        "index": index,
        "kind": "memory_diff",
        "title": "Remember in user preferences.reviews",
        "reasoning": "Ada said so.",
        "confidence": "high",
        "base_version": 0,
        "change": change | changes,
        "dropped": None,
    }


def a_ticket_effect(index: int = 0) -> Document:
    """Return an effect that becomes a ticket change."""
    return {
        "index": index,
        "kind": "ticket_change",
        "title": "Create ticket: Renew the key",
        "reasoning": "It expired.",
        "confidence": "medium",
        "base_version": None,
        "change": {"action": "create", "ticket_id": None, "title": "Renew the key", "change": "Renew it."},
        "dropped": None,
    }


def a_fact(
    ticket_id: str = "T-1",
    title: str = "Export",
    at: datetime = NOW,
    *,
    closed: bool = False,
    organisation: str = "acme",
    project: str = "apollo",
    **data: Any,
) -> TicketFact:
    """Return what an event told of a ticket; keyword arguments are more of its data."""
    told = {"ticket_id": ticket_id, "title": title, "status": "open", **data}
    return TicketFact(organisation, project, ticket_id, told, closed, f"told {title}", at)


def a_run_decided(key: str = "noter", **changes: Any) -> RunDecided:
    """Return the decision that starts an Agent."""
    return replace(RunDecided(key, 1, Target("doc", "plan"), Lane.MEDIUM, None), **changes)
