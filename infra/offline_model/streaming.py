"""A finished response told as the events of a stream."""

import re
from collections.abc import Iterator

import orjson

from infra.offline_model.composing import unfinished
from infra.offline_model.wire import Json

_DELTA = re.compile(r".{1,24}", re.DOTALL)
_LAST = {"completed": "response.completed", "incomplete": "response.incomplete", "failed": "response.failed"}


def stream_events(response: Json) -> list[bytes]:
    """Return the server-sent events, in the provider's order."""
    return [
        b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps({"type": name, "sequence_number": number, **event}))
        for number, (name, event) in enumerate(_events(response))
    ]


def _events(response: Json) -> Iterator[tuple[str, Json]]:
    started = unfinished(response, "in_progress")
    yield "response.created", {"response": started}
    yield "response.in_progress", {"response": started}
    for index, item in enumerate(response["output"]):
        yield from _message(item, index) if item["type"] == "message" else _function_call(item, index)
    yield _LAST[response["status"]], {"response": response}


def _message(item: Json, index: int) -> Iterator[tuple[str, Json]]:
    part = item["content"][0]
    kind, key = ("output_text", "text") if part["type"] == "output_text" else ("refusal", "refusal")
    at = {"item_id": item["id"], "output_index": index, "content_index": 0}
    logprobs: Json = {"logprobs": []} if kind == "output_text" else {}
    yield (
        "response.output_item.added",
        {"output_index": index, "item": {**item, "status": "in_progress", "content": []}},
    )
    yield "response.content_part.added", {**at, "part": {**part, key: ""}}
    for delta in _DELTA.findall(part[key]):
        yield f"response.{kind}.delta", {**at, "delta": delta, **logprobs}
    yield f"response.{kind}.done", {**at, key: part[key], **logprobs}
    yield "response.content_part.done", {**at, "part": part}
    yield "response.output_item.done", {"output_index": index, "item": item}


def _function_call(item: Json, index: int) -> Iterator[tuple[str, Json]]:
    at = {"item_id": item["id"], "output_index": index}
    started = {**item, "status": "in_progress", "arguments": ""}
    yield "response.output_item.added", {"output_index": index, "item": started}
    for delta in _DELTA.findall(item["arguments"]):
        yield "response.function_call_arguments.delta", {**at, "delta": delta}
    yield "response.function_call_arguments.done", {**at, "name": item["name"], "arguments": item["arguments"]}
    yield "response.output_item.done", {"output_index": index, "item": item}
