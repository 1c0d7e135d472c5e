"""Turning a request into a whole response of the API."""

import re
from typing import Any

import orjson

from infra.offline_model import wire
from infra.offline_model.answers import arguments, json_answer, plain_answer
from infra.offline_model.asked import Asked, Tool
from infra.offline_model.faults import Fault, FaultKind
from infra.offline_model.prose import shortened, topic_words
from infra.offline_model.wire import Json

_REFUSAL = "I cannot help with that."
_INVALID = '{"unexpected": true}'


def compose(asked: Asked, response_id: str, created_at: int, fault: Fault | None) -> Json:
    """Return the finished response; a fault of the answer's content shows in it."""
    suffix = response_id.removeprefix("resp_")
    if fault is not None and fault.kind is FaultKind.FAILED:
        failure = {"code": fault.spec.code or "server_error", "message": "The offline model was told to fail."}
        return _response(asked, response_id, created_at, [], status="failed", error=failure)
    if fault is not None and fault.kind is FaultKind.REFUSAL:
        return _response(asked, response_id, created_at, [wire.message(f"msg_{suffix}", wire.refusal_part(_REFUSAL))])
    called = _call(asked, fault)
    if called is not None:
        item = wire.function_call(f"fc_{suffix}", f"call_{suffix}", *called)
        return _response(asked, response_id, created_at, [item])
    return _with_text(asked, response_id, created_at, fault)


def unfinished(response: Json, status: str) -> Json:
    """Return what can be told of a response before its end."""
    told_at_the_end: Json = {
        "output": [],
        "usage": None,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
    }
    return {**response, "status": status, **told_at_the_end}


def answer_text(asked: Asked) -> str:
    """Return the text of the answer: JSON when a schema or JSON was asked for."""
    if asked.answer_schema is not None:
        return json_answer(asked.prompt, asked.answer_schema, [output for _, output in asked.tool_results])
    if asked.text.format.type == "json_object":
        return json_answer(asked.prompt, {"properties": {"summary": {"type": "string"}}})
    results = [f"{name} returned: {shortened(output, 40)}" for name, output in asked.tool_results]
    return "\n".join([*results, plain_answer(asked.prompt)])


def _with_text(asked: Asked, response_id: str, created_at: int, fault: Fault | None) -> Json:
    text = _INVALID if fault is not None and fault.kind is FaultKind.INVALID_OUTPUT else answer_text(asked)
    text, reason = _cut(asked, text, fault)
    status = "completed" if reason is None else "incomplete"
    item = wire.message(f"msg_{response_id.removeprefix('resp_')}", wire.text_part(text), status)
    details = None if reason is None else {"reason": reason}
    return _response(asked, response_id, created_at, [item], status=status, incomplete_details=details)


def _cut(asked: Asked, text: str, fault: Fault | None) -> tuple[str, str | None]:
    """Return as much of the answer as may be said, and the reason when it is not all of it."""
    if fault is not None and fault.kind is FaultKind.INCOMPLETE:
        return text[: len(text) // 2], fault.spec.reason
    if asked.max_output_tokens is not None and wire.count_tokens(text) > asked.max_output_tokens:
        return wire.first_tokens(text, asked.max_output_tokens), "max_output_tokens"
    return text, None


def _call(asked: Asked, fault: Fault | None) -> tuple[str, str] | None:
    """Return the name and the arguments of the function to call now."""
    if fault is not None and fault.kind is FaultKind.TOOL_CALL:
        given = fault.spec.arguments
        return fault.spec.code or "", given if isinstance(given, str) else orjson.dumps(given).decode()
    tool = _next_tool(asked)
    if tool is None:
        return None
    return tool.name, arguments(asked.prompt, tool.parameters or {"type": "object"})


def _next_tool(asked: Asked) -> Tool | None:
    """Return the function to call now: the one that the input's words are most about, each at most once."""
    called = {name for name, _ in asked.tool_results}
    offered = [tool for tool in asked.tools if tool.type == "function" and tool.name not in called]
    if asked.tool_choice == "none":
        return None
    if isinstance(asked.tool_choice, dict):
        return next((tool for tool in offered if tool.name == asked.tool_choice.get("name")), None)
    if asked.tool_choice == "required" and called:
        return None
    spoken = set(topic_words(asked.prompt))
    best = max(offered, key=lambda tool: len(_words_of(tool) & spoken), default=None)
    wanted = best is not None and (asked.tool_choice == "required" or bool(_words_of(best) & spoken))
    return best if wanted else None


def _words_of(tool: Tool) -> set[str]:
    return {*re.split(r"[^a-z0-9]+", tool.name.lower()), *topic_words(tool.description or "")}


def _response(asked: Asked, response_id: str, created_at: int, output: list[Json], **changes: Any) -> Json:
    said = "".join(str(part.get("text") or part.get("refusal")) for item in output for part in item.get("content", ()))
    called = "".join(str(item.get("arguments", "")) for item in output)
    schema = str(asked.answer_schema or "") + "".join(str(tool.parameters) for tool in asked.tools)
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_at,
        "completed_at": created_at,
        "status": "completed",
        "background": asked.background,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": asked.metadata,
        "model": asked.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": asked.previous_response_id,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": asked.store,
        "temperature": 1.0,
        "text": {"format": asked.text.format.model_dump(by_alias=True, exclude_none=True)},
        "tool_choice": asked.tool_choice,
        "tools": [tool.model_dump() for tool in asked.tools],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": wire.usage(
            wire.count_tokens(asked.everything_said() + schema), max(wire.count_tokens(said + called), 1)
        ),
        "user": None,
        **changes,
    }
