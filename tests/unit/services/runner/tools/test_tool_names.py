"""The tools that a version may name are those that runners have."""

from contracts.tools import TOOL_NAMES
from services.runner.tools import search_documents, web_tools
from services.runner.tools.registry import TOOLS


def test_the_names_that_are_known_everywhere_are_those_of_the_runner() -> None:
    assert {*TOOLS, search_documents.SPEC.name, *web_tools.NAMES} == TOOL_NAMES
