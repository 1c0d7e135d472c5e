"""Responses: JSON by orjson, and 304 when the reader has it already."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson
from fastapi import Request, Response

_JSON = "application/json"


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the content as JSON; times become ISO 8601 in UTC."""
    return Response(_dumps(content), status, dict(headers or {}), _JSON)


def tagged_answer(request: Request, content: Any) -> Response:
    """Return the content with its `ETag`, or an empty 304 when the request names that tag."""
    body = _dumps(content)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in (name.strip() for name in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers, _JSON)


def _dumps(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)
