"""The tool `project_tickets`: how the tickets of the run's project stand, as their events told."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from services.runner.tools.tool import Scope, Stores, Tool
from shared.llm.port import ToolSpec

_TYPES = ("ticket.opened", "ticket.changed", "ticket.closed")
_MOST = 200
_EVENTS_LOOKED_AT = 1_000


async def _project_tickets(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the project's tickets, whoever touched them: a ticket belongs to the project, not to a user."""
    if scope.project is None:
        return []
    found = await stores.events.about_tickets(scope.organisation, scope.project, _TYPES, _EVENTS_LOOKED_AT)
    listed = latest_of_each((event["type"], orjson.loads(event["json"])["data"]) for event in found)
    return [ticket for ticket in listed if arguments["closed"] or not ticket["closed"]][: arguments["limit"]]


def latest_of_each(events: Iterable[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Return each ticket as its latest event says; the events, as type and data, come newest first."""
    tickets: dict[str, dict[str, Any]] = {}
    for type_, data in events:
        ticket = {name: value for name, value in data.items() if name != "changed_fields"}
        tickets.setdefault(data["ticket_id"], {**ticket, "closed": type_ == "ticket.closed"})
    return list(tickets.values())


TOOL = Tool(
    ToolSpec(
        name="project_tickets",
        description="Lists the tickets of the project that this is about, the latest changed first.",
        parameters={
            "type": "object",
            "properties": {
                "closed": {"type": "boolean", "description": "Whether closed tickets are listed, too."},
                "limit": {"type": "integer", "minimum": 1, "maximum": _MOST, "description": "How many at most."},
            },
            "required": ["closed", "limit"],
            "additionalProperties": False,
        },
    ),
    _project_tickets,
)
