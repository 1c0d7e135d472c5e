"""The tools that the models of Agents may call, by the names under which a version asks for them."""

from typing import Final

TOOL_NAMES: Final = frozenset(
    {"project_tickets", "read_memory", "recent_events", "search_documents", "web_page", "web_search"}
)
