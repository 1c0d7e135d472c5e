"""Every tool that an Agent version may name."""

from collections.abc import Mapping

from services.runner.tools import project_tickets, read_memory, recent_events
from services.runner.tools.tool import Tool

_ALL = (
    project_tickets.TOOL,
    read_memory.TOOL,
    recent_events.TOOL,
)

TOOLS: Mapping[str, Tool] = {tool.spec.name: tool for tool in _ALL}
