"""The tool `recent_events`: what happened lately around the user and the project of the run."""

from collections.abc import Mapping
from typing import Any

import orjson

from contracts.registry import PLATFORM_TYPES
from services.runner.tools.tool import Scope, Stores, Tool
from shared.llm.port import ToolSpec

_MOST = 20


async def _recent_events(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return events of exactly this user and project: what has no user is nobody's, not everybody's.

    The platform's own are left out unless they are asked for: a schedule fires more often than people do anything.
    """
    query: dict[str, Any] = {"organisation": scope.organisation, "project": scope.project, "user": scope.user}
    query["type"] = arguments["type"] or {"$nin": sorted(PLATFORM_TYPES)}
    found = await stores.events.recent(query, arguments["limit"])
    return [
        {
            "id": event["id"],
            "type": event["type"],
            "accepted_at": event["accepted_at"],
            "data": orjson.loads(event["json"]).get("data"),
        }
        for event in found
    ]


TOOL = Tool(
    ToolSpec(
        name="recent_events",
        description="Lists the latest events of the user and the project that this is about, newest first.",
        parameters={
            "type": "object",
            "properties": {
                "type": {
                    "type": ["string", "null"],
                    "description": "Only events of this type, such as 'checkin.submitted'; null for all that people caused.",
                },
                "limit": {"type": "integer", "minimum": 1, "maximum": _MOST, "description": "How many at most."},
            },
            "required": ["type", "limit"],
            "additionalProperties": False,
        },
    ),
    _recent_events,
)
