"""The tool calls of a conversation, round by round."""

from services.runner.agents.prompt import render_tool_failure, render_tool_output
from services.runner.agents.tool_events import tool_events
from shared.llm.port import Message, Role, ToolCall, ToolResult


def test_calls_are_numbered_by_round_with_what_came_of_each() -> None:
    turns = (
        Message(Role.USER, "Go on."),
        ToolCall("a", "recent_events", '{"limit":1}'),
        ToolCall("b", "project_tickets", "{}"),
        ToolResult("a", render_tool_output("[]")),
        ToolResult("b", render_tool_failure("It is away.")),
        Message(Role.ASSISTANT, "Once more."),
        # Providers may give an id a second time.
        ToolCall("a", "recent_events", "x" * 2_000),
        ToolResult("a", render_tool_output("y" * 2_000)),
    )

    first, second, third = tool_events(turns)

    assert first == {"round": 1, "tool": "recent_events", "command": '{"limit":1}', "output": "[]", "exit_code": 0}
    assert (second["round"], second["exit_code"], second["output"].splitlines()[0]) == (1, 1, "It is away.")
    assert (third["round"], len(third["command"]), third["output"]) == (2, 1_000, "y" * 1_000)


def test_without_calls_there_are_none() -> None:
    assert tool_events((Message(Role.USER, "Go on."),)) == []
