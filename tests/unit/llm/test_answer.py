"""Reading the bodies of the Responses API, including those of providers that leave parts out."""

from contextlib import suppress
from traceback import format_exception
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import AppError
from shared.llm.answer import read_answer, read_progress
from shared.llm.errors import (
    ModelAnswerMalformed,
    ModelRateLimited,
    ModelRefused,
    ModelRequestRefused,
    ModelUnavailable,
)
from shared.llm.port import Finish, ModelRequest, ToolCall, Usage

REQUEST = ModelRequest(model="gpt-5.1", instructions="", input="")


def message(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "content": list(parts)}


def body(*items: dict[str, Any], **changes: Any) -> bytes:
    return orjson.dumps({"id": "resp_1", "model": "m", "status": "completed", "output": list(items), **changes})


def said(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text}


def test_texts_of_all_messages_are_joined() -> None:
    answer = read_answer(body({"type": "reasoning"}, message(said("a"), said("b")), message(said("c"))), REQUEST)

    assert answer.text == "abc"


def test_missing_usage_counts_as_nothing_and_unknown_details_as_unknown() -> None:
    assert read_answer(body(), REQUEST).usage == Usage(0, 0, None, None)


def test_details_of_usage_are_kept() -> None:
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 6,
        "output_tokens_details": {"reasoning_tokens": 5},
    }

    assert read_answer(body(usage=usage), REQUEST).usage == Usage(10, 6, 4, 5)


def call(**parts: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "call_1", "name": "look_up", "arguments": "{}", **parts}


def test_wanted_tools_are_told_in_their_order_beside_the_text() -> None:
    answer = read_answer(body(call(arguments="{not json"), message(said("a")), call(call_id="call_2")), REQUEST)

    assert answer.tool_calls == (ToolCall("call_1", "look_up", "{not json"), ToolCall("call_2", "look_up", "{}"))
    assert answer.text == "a"


@pytest.mark.parametrize("parts", [{"call_id": None}, {"call_id": ""}, {"name": ""}, {"arguments": {}}])
def test_wanted_tool_that_nobody_could_call_is_malformed(parts: dict[str, Any]) -> None:
    with pytest.raises(ModelAnswerMalformed, match="function_call"):
        read_answer(body(call(**parts)), REQUEST)


@pytest.mark.parametrize(
    ("status", "is_over"),
    [("queued", False), ("in_progress", False), ("completed", True), ("cancelled", True), ("paused", True)],
)
def test_response_is_over_when_it_is_not_under_way(status: str, is_over: bool) -> None:
    progress = read_progress(orjson.dumps({"id": "resp_1", "status": status}), "m")

    assert (progress.id, progress.is_over, progress.usage) == ("resp_1", is_over, None)


def test_unknown_status_is_an_incomplete_answer_named_by_it() -> None:
    answer = read_answer(body(status="paused"), REQUEST)

    assert (answer.finish, answer.finish_reason) == (Finish.INCOMPLETE, "paused")


def test_refusal_beside_a_text_is_a_refusal() -> None:
    with pytest.raises(ModelRefused):
        read_answer(body(message(said("Well, "), {"type": "refusal", "refusal": "no"})), REQUEST)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("server_error", ModelUnavailable),
        (None, ModelUnavailable),
        ("rate_limit_exceeded", ModelRateLimited),
        ("invalid_prompt", ModelRequestRefused),
    ],
)
def test_failed_response_is_told_by_its_code(code: str | None, error: type[AppError]) -> None:
    with pytest.raises(error):
        read_answer(body(status="failed", error={"code": code, "message": "quotes the prompt"}), REQUEST)


@pytest.mark.parametrize("text", [b"", b"<html>", b"[]", b"null", b'{"id": 1}', b'{"output": [{"type": "mess', b"\xff"])
def test_body_of_something_else_is_malformed(text: bytes) -> None:
    with pytest.raises(ModelAnswerMalformed, match="OPENAI_BASE_URL"):
        read_answer(text, REQUEST)


def test_malformed_body_is_not_quoted() -> None:
    malformed = orjson.dumps({"id": "resp_1", "model": "m", "output": "the private answer"})

    with pytest.raises(ModelAnswerMalformed) as caught:
        read_answer(malformed, REQUEST)

    assert "private" not in f"{''.join(format_exception(caught.value))}{caught.value.facts}"
    assert "output" in str(caught.value)


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), st.lists))
def test_any_output_is_an_answer_or_a_typed_error(output: Any) -> None:
    with suppress(ModelAnswerMalformed):
        read_answer(body(output=output), REQUEST)
