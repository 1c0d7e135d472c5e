"""A run as a talk: each answer with the tool calls that it asked for, and what came of each."""

from datetime import timedelta
from typing import Any

import orjson

from shared.domain.step import hash_of_request, tool_request
from shared.domain.transcript import MOST_CHARACTERS, Said, ToolEvent, transcript
from tests.unit.shared.given import LATER, NOW

Document = dict[str, Any]
Recorded = tuple[Document, Document | None]


def asking(text: str, *calls: tuple[str, str]) -> Recorded:
    """Return a model call that has ended, with the tools that it wants called."""
    tool_calls = [{"id": str(number), "name": name, "arguments": text} for number, (name, text) in enumerate(calls)]
    step = {"kind": "model_call", "name": "fast-1", "started_at": NOW, "finished_at": LATER, "request_hash": "m"}
    return step, {"text": text, "usage": {}, **({"tool_calls": tool_calls} if tool_calls else {})}


def called(tool: str, arguments: Document, result: Document | None) -> Recorded:
    """Return a tool call, which has not ended when there is no result."""
    ended = None if result is None else LATER
    asked = hash_of_request(tool_request(tool, arguments))
    return {"kind": "tool_call", "name": tool, "started_at": NOW, "finished_at": ended, "request_hash": asked}, result


def test_rounds_are_numbered_and_keep_what_they_asked_for() -> None:
    talk = transcript(
        [
            asking("Let me look.", ("read_memory", '{"label": "a"}'), ("recent_events", "{}")),
            called("read_memory", {"label": "a"}, {"output": "nothing"}),
            called("recent_events", {}, {"output": '["one"]'}),
            asking("", ("read_memory", '{"label":"b"}')),
            called("read_memory", {"label": "b"}, {"output": "tea"}),
            asking('{"summary":"tea"}'),
        ]
    )

    assert talk == [
        Said(
            "fast-1",
            "Let me look.",
            LATER,
            (
                ToolEvent(1, "read_memory", '{"label": "a"}', "nothing", None),
                ToolEvent(1, "recent_events", "{}", '["one"]', None),
            ),
        ),
        Said("fast-1", "", LATER, (ToolEvent(2, "read_memory", '{"label":"b"}', "tea", None),)),
        Said("fast-1", '{"summary":"tea"}', LATER, ()),
    ]


def test_a_call_that_was_refused_is_told_apart_from_one_of_the_same_tool_that_was_made() -> None:
    wrong, right = ("read_memory", '{"lable": 1}'), ("read_memory", '{"label": "a"}')
    (said,) = transcript(
        [asking("", wrong, ("no_tool", "not JSON"), right), called("read_memory", {"label": "a"}, {"output": "x"})]
    )

    assert [(event.command, event.output, event.is_refused) for event in said.tool_events] == [
        ('{"lable": 1}', None, True),
        ("not JSON", None, True),
        ('{"label": "a"}', "x", False),
    ]


def test_equal_calls_have_each_their_own_output() -> None:
    call = ("roll", "{}")
    (said,) = transcript(
        [asking("", call, call), called("roll", {}, {"output": "1"}), called("roll", {}, {"output": "6"})]
    )

    assert [event.output for event in said.tool_events] == ["1", "6"]


def test_an_exit_code_is_that_of_the_output() -> None:
    run = [asking("", ("run", "{}")), called("run", {}, {"output": orjson.dumps({"exit_code": 2}).decode()})]
    flag = [asking("", ("run", "{}")), called("run", {}, {"output": {"exit_code": "2"}})]

    assert transcript(run)[0].tool_events[0].exit_code == 2
    assert transcript(flag)[0].tool_events[0].exit_code is None


def test_what_has_not_ended_or_failed_is_there() -> None:
    failure = {"failure": {"code": "not_found", "detail": "gone"}}
    step = {**asking("")[0], "finished_at": None, "started_at": NOW - timedelta(seconds=1)}
    talk = transcript(
        [asking("", ("a", "{}"), ("b", "{}")), called("a", {}, None), called("b", {}, failure), (step, None)]
    )

    assert [event.output for event in talk[0].tool_events] == [None, orjson.dumps(failure).decode()]
    assert (talk[1].content, talk[1].at) == ("", NOW - timedelta(seconds=1))


def test_the_work_of_a_handler_is_one_answer_without_a_model() -> None:
    step = {"kind": "pause", "name": "pause", "started_at": NOW, "finished_at": LATER, "request_hash": "p"}

    assert transcript([(step, {"seconds": 1})]) == [
        Said(None, "", LATER, (ToolEvent(1, "pause", "", '{"seconds":1}', None),))
    ]


def test_long_texts_are_cut() -> None:
    (said,) = transcript([asking("x" * (MOST_CHARACTERS + 1))])

    assert said.content.endswith("[1 of 20,001 characters were cut off here]")


def test_a_run_without_steps_has_nothing_to_say() -> None:
    assert transcript([]) == []
