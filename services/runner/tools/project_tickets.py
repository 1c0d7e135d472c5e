"""The tool `project_tickets`: how the tickets of the run's project stand."""

from collections.abc import Mapping
from typing import Any

from services.runner.tools.tool import Scope, Stores, Tool
from shared.llm.port import ToolSpec

_MOST = 200


async def _project_tickets(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the project's tickets, whoever touched them: a ticket belongs to the project, not to a user."""
    if scope.project is None:
        return []
    return await stores.tickets.latest(
        scope.organisation, scope.project, arguments["limit"], with_closed=arguments["closed"]
    )


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
