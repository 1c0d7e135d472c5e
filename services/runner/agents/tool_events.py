"""The tool calls of a conversation, as a chat of a product shows them. Pure."""

from collections.abc import Sequence
from typing import Any

from services.runner.agents.prompt import tool_output_of
from shared.llm.port import Message, ToolCall, ToolResult

Turn = Message | ToolCall | ToolResult
Document = dict[str, Any]

_MOST_CHARACTERS = 1_000


def tool_events(turns: Sequence[Turn]) -> list[Document]:
    """Return what was called in which round, counted from 1, and what came of it; `exit_code` is 1 for what failed."""
    events: dict[str, Document] = {}
    number, has_results = 0, True
    for turn in turns:
        if isinstance(turn, ToolCall):
            number, has_results = number + has_results, False
            events[f"{number} {turn.id}"] = _called(number, turn)
        elif isinstance(turn, ToolResult):
            has_results = True
            events[f"{number} {turn.call_id}"] |= _came(turn)
    return list(events.values())


def _called(number: int, call: ToolCall) -> Document:
    return {"round": number, "tool": call.name, "command": call.arguments[:_MOST_CHARACTERS]}


def _came(result: ToolResult) -> Document:
    output, is_failure = tool_output_of(result.output)
    return {"output": output[:_MOST_CHARACTERS], "exit_code": 1 if is_failure else 0}
