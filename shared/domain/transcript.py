"""A run as a talk that can be read: what the model said, and the tool calls it asked for with what came of each."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.domain.step import hash_of_request, tool_request

MOST_CHARACTERS = 20_000
"""Of each text; what is longer is cut, and the step has the rest."""

Document = dict[str, Any]


class ToolEvent(NamedTuple):
    """One tool call of a round. `command` is what was asked, as JSON; `output` is None for a call that has not ended.

    `exit_code` is that of tools whose output has one. A refused call was not made, because the tool or its arguments
    were not allowed.
    """

    round: int
    tool: str
    command: str
    output: str | None
    exit_code: int | None
    is_refused: bool = False


class Said(NamedTuple):
    """One answer of the model, with the tool calls it asked for. Without a model, the work of a handler."""

    model: str | None
    content: str
    at: datetime
    tool_events: tuple[ToolEvent, ...]


def transcript(steps: Sequence[tuple[Document, Document | None]]) -> list[Said]:
    """Return what was said, of steps in order, each with its result, or None while it has none."""
    said: list[Said] = []
    for group in _rounds(steps):
        first, result = group[0]
        is_model = first["kind"] == "model_call"
        calls = (result or {}).get("tool_calls", ()) if is_model else ()
        others = group[1:] if is_model else group
        said.append(
            Said(
                first["name"] if is_model else None,
                cut((result or {}).get("text", "")) if is_model else "",
                first["finished_at"] or first["started_at"],
                tuple(_tool_events(len(said) + 1, calls, others)),
            )
        )
    return said


def cut(text: str) -> str:
    """Return the text, or its beginning with a word on how much is missing."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n[{len(text) - MOST_CHARACTERS:,} of {len(text):,} characters were cut off here]"


Steps = list[tuple[Document, Document | None]]


def _rounds(steps: Sequence[tuple[Document, Document | None]]) -> list[Steps]:
    """Return the steps in groups, each from one model call up to the next."""
    rounds: list[Steps] = []
    for step in steps:
        if not rounds or step[0]["kind"] == "model_call":
            rounds.append([])
        rounds[-1].append(step)
    return rounds


def _tool_events(number: int, calls: Sequence[Document], steps: Steps) -> Iterator[ToolEvent]:
    """Yield the calls as they were asked for, each with its step; then what was done without being asked for."""
    left = list(steps)
    for call in calls:
        wanted = _hash_of(call)
        made = next((each for each in left if wanted is not None and each[0]["request_hash"] == wanted), None)
        if made is not None:
            left.remove(made)
        yield _tool_event(number, call["name"], cut(call["arguments"]), made)
    for step in left:
        yield _tool_event(number, step[0]["name"], "", step)


def _tool_event(number: int, tool: str, command: str, made: tuple[Document, Document | None] | None) -> ToolEvent:
    if made is None:
        return ToolEvent(number, tool, command, None, None, is_refused=True)
    output = _output(made[1])
    text = None if output is None else cut(output if isinstance(output, str) else orjson.dumps(output).decode())
    return ToolEvent(number, tool, command, text, _exit_code(output))


def _output(result: Document | None) -> Any:
    if result is None:
        return None
    return result.get("output", result)


def _exit_code(output: Any) -> int | None:
    """Return the exit code that an output says, also one that is the text of a JSON object."""
    if isinstance(output, str):
        try:
            output = orjson.loads(output)
        except orjson.JSONDecodeError:
            return None
    code = output.get("exit_code") if isinstance(output, dict) else None
    return code if isinstance(code, int) else None


def _hash_of(call: Document) -> str | None:
    """Return what the step of a call is identified by; None for arguments that no step can have."""
    try:
        arguments = orjson.loads(call["arguments"])
    except orjson.JSONDecodeError:
        return None
    return hash_of_request(tool_request(call["name"], arguments))
