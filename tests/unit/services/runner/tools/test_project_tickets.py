"""How tickets stand, after their events."""

from typing import Any

from services.runner.tools.project_tickets import latest_of_each

OPENED: dict[str, Any] = {"ticket_id": "APO-1", "title": "Export", "status": "open"}
CHANGED: dict[str, Any] = {**OPENED, "title": "Export as CSV", "changed_fields": ["title"]}


def test_a_ticket_is_as_its_latest_event_says_and_stands_where_that_stands() -> None:
    other: dict[str, Any] = {"ticket_id": "APO-2", "title": "Import", "status": "done", "resolution": "done"}
    events = [("ticket.changed", CHANGED), ("ticket.closed", other), ("ticket.opened", OPENED)]

    assert latest_of_each(events) == [
        {"ticket_id": "APO-1", "title": "Export as CSV", "status": "open", "closed": False},
        {**other, "closed": True},
    ]


def test_a_ticket_that_was_opened_again_is_open() -> None:
    (ticket,) = latest_of_each([("ticket.changed", CHANGED), ("ticket.closed", OPENED), ("ticket.opened", OPENED)])

    assert ticket["closed"] is False
