"""Accepted events as the API shows them, with what the gate decided about each."""

from datetime import datetime
from typing import Any

import orjson

from services.gateway.views import DecisionView, Document, View, decision_view


class EventView(View):
    """An accepted event with the decisions on it. `pending`: the gate has not decided yet.

    `dead_letter` is the id of the letter that the event waits in, when it cannot be decided.
    """

    key: str
    id: str
    type: str
    organisation: str
    project: str | None
    user: str | None
    accepted_at: datetime
    pending: bool
    decisions: list[DecisionView]
    dead_letter: str | None


class EventList(View):
    events: list[EventView]
    next_cursor: str | None


class EventDetail(EventView):
    """With the event as it was published."""

    event: dict[str, Any]


_FIELDS = ("id", "type", "organisation", "project", "user", "accepted_at")


def event_view(event: Document) -> dict[str, Any]:
    """Return a stored event as it is shown in a list."""
    return {
        "key": event["_id"],
        **{name: event[name] for name in _FIELDS},
        "pending": not event["gated"],
        "decisions": [decision_view(decision) for decision in event.get("decisions") or ()],
        "dead_letter": event.get("dead_letter"),
    }


def event_detail(event: Document) -> dict[str, Any]:
    """Return a stored event with its content."""
    return {**event_view(event), "event": orjson.loads(event["json"])}
