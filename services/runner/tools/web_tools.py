"""The tools `web_search` and `web_page`: what the web says, for runners with EXA_API_KEY."""

from collections.abc import Mapping
from typing import Any, Final

from services.runner.tools.tool import Scope, Stores, Tool
from services.runner.tools.web import Found, Web
from shared.llm.port import ToolSpec

NAMES: Final = frozenset({"web_search", "web_page"})

_MOST = 10
_LONGEST_QUERY = 400
_LONGEST_ADDRESS = 2_000


def web_tools(web: Web) -> tuple[Tool, ...]:
    """Return both tools on this access to the web. What they return was written by anybody at all."""

    async def web_search(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> list[Found]:
        return await web.search(arguments["query"], arguments["limit"])

    async def web_page(stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> Found:
        return await web.page(arguments["url"])

    return Tool(_SEARCH, web_search), Tool(_PAGE, web_page)


_SEARCH = ToolSpec(
    name="web_search",
    description="Searches the web, and returns pages with their address, title, date and the beginning of their text.",
    parameters={
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": _LONGEST_QUERY,
                "description": "What to look for, in a sentence. Never names, ids or texts of people or customers.",
            },
            "limit": {"type": "integer", "minimum": 1, "maximum": _MOST, "description": "How many pages at most."},
        },
        "required": ["query", "limit"],
        "additionalProperties": False,
    },
)
_PAGE = ToolSpec(
    name="web_page",
    description="Reads one page of the web by its address.",
    parameters={
        "type": "object",
        "properties": {
            "url": {
                "type": "string",
                "pattern": "^https?://[^\\s]+$",
                "maxLength": _LONGEST_ADDRESS,
                "description": "The address of the page, as web_search returned it or the content names it.",
            },
        },
        "required": ["url"],
        "additionalProperties": False,
    },
)
