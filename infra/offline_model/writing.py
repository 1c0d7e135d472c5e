"""Writing answers, whole and broken."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from infra.offline_model.exchange import Exchange

EXCHANGE = web.AppKey("exchange", Exchange)

_JSON = "application/json"


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type=_JSON)


def malformed() -> web.Response:
    """Return an answer that claims to be JSON and ends too early."""
    return web.Response(body=b'{"id": "resp_malformed", "output": [', content_type=_JSON)


async def cut_off(request: web.Request, body: Any) -> web.StreamResponse:
    """Send half of an answer and drop the connection."""
    whole = orjson.dumps(body)
    answer = web.StreamResponse(headers={"Content-Length": str(len(whole)), "Content-Type": _JSON})
    await answer.prepare(request)
    await answer.write(whole[: len(whole) // 2])
    return _dropped(request, answer)


async def stream(request: web.Request, events: list[bytes], *, cut: bool) -> web.StreamResponse:
    """Send server-sent events; with `cut` the connection is dropped after the last of them."""
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await answer.prepare(request)
    for event in events:
        await answer.write(event)
    if cut:
        return _dropped(request, answer)
    await answer.write_eof()
    return answer


def _dropped(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.close()
    return answer
