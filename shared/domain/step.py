"""What identifies a call that a step records."""

from hashlib import blake2b
from typing import Any

import orjson


def hash_of_request(request: dict[str, Any]) -> str:
    """Return the same text for equal requests, in whatever order their members were written."""
    return blake2b(orjson.dumps(request, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def tool_request(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what a tool call asks, as its step is identified by it."""
    return {"tool": tool, "arguments": arguments}
