"""The provider's shapes of errors and answers."""

import math
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)
Json = dict[str, Any]

_BYTES_PER_TOKEN = 4


class BadRequest(Exception):
    """The request is wrong; `param` names the part of it."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, "invalid_request_error", param, code)


def error_body(message: str, kind: str, param: str | None = None, code: str | None = None) -> Json:
    """Return the body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def json_object(body: bytes) -> Json:
    """Return the body, or raise BadRequest when it is not a JSON object."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise BadRequest("We could not parse the JSON body of your request: it is not a JSON object.")
    return value


def parsed(model: type[Model], body: Mapping[str, Any]) -> Model:
    """Return the body as this model, or raise BadRequest for the first thing that is wrong with it."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        where = f"'{param}'" if param else "the body"
        raise BadRequest(f"Invalid value for {where}: {first['msg']}.", param=param) from None


def count_tokens(text: str) -> int:
    """Return about as many tokens as a real model would count."""
    return math.ceil(len(text.encode()) / _BYTES_PER_TOKEN)


def first_tokens(text: str, count: int) -> str:
    """Return the beginning of a text that has this many tokens."""
    return text.encode()[: count * _BYTES_PER_TOKEN].decode(errors="ignore")


def usage(input_tokens: int, output_tokens: int) -> Json:
    """Return the usage of one response; there is no cache and no reasoning here."""
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input_tokens + output_tokens,
    }


def message(item_id: str, part: Json, status: str = "completed") -> Json:
    """Return an output item that says something."""
    return {"id": item_id, "type": "message", "status": status, "role": "assistant", "content": [part]}


def text_part(text: str) -> Json:
    """Return the content of a message that answers."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def refusal_part(refusal: str) -> Json:
    """Return the content of a message that declines."""
    return {"type": "refusal", "refusal": refusal}


def function_call(item_id: str, call_id: str, name: str, arguments: str) -> Json:
    """Return an output item that asks for a function."""
    return {
        "id": item_id,
        "type": "function_call",
        "status": "completed",
        "call_id": call_id,
        "name": name,
        "arguments": arguments,
    }
