"""A server on loopback that speaks as much of Exa's API as Towpath asks for, and refuses what Exa would refuse."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Document = dict[str, Any]

KEY = "exa-key-of-tests"
PAGE: Document = {
    "id": "https://example.com/canals",
    "url": "https://example.com/canals",
    "title": "Canals",
    "publishedDate": "2026-11-01T00:00:00.000Z",
    "author": None,
    "score": 0.3,
    "image": None,
    "favicon": None,
    "text": "A towpath runs beside a canal. " * 1_000,
}
_SEARCH_FIELDS = {"query", "numResults", "contents"}
_CONTENTS_FIELDS = {"urls", "text"}


@dataclass(slots=True)
class FakeExa:
    """`asked` is each request as (path, body); `refusals` are answered first, as (status, headers)."""

    asked: list[tuple[str, Document]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    async def search(self, request: web.Request) -> web.Response:
        body = await self._taken(request, _SEARCH_FIELDS)
        kept = body["contents"]["text"]["maxCharacters"]
        found = [{**PAGE, "text": PAGE["text"][:kept]}] * body["numResults"]
        return web.json_response({"requestId": "r1", "results": found, "costDollars": {"total": 0.005}})

    async def contents(self, request: web.Request) -> web.Response:
        body = await self._taken(request, _CONTENTS_FIELDS)
        known = body["urls"] == [PAGE["url"]]
        status: Document = {"id": body["urls"][0], "status": "success" if known else "error"}
        if not known:
            status["error"] = {"tag": "CRAWL_NOT_FOUND", "httpStatusCode": 404}
        return web.json_response({"requestId": "r2", "results": [PAGE] if known else [], "statuses": [status]})

    async def _taken(self, request: web.Request, fields: set[str]) -> Document:
        body: Document = await request.json()
        self.asked.append((request.path, body))
        if request.headers.get("x-api-key") != KEY:
            raise web.HTTPUnauthorized(text='{"error": "Invalid API key"}', content_type="application/json")
        if self.refusals:
            status, headers = self.refusals.pop(0)
            error = web.json_response({"error": f"refused: {body}"}, status=status, headers=headers)
            raise _Refused(error)
        if set(body) != fields:
            raise web.HTTPBadRequest(text='{"error": "unknown field"}', content_type="application/json")
        return body


class _Refused(Exception):
    def __init__(self, answer: web.Response) -> None:
        super().__init__()
        self.answer = answer


@web.middleware
async def _refusing(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        answer: web.StreamResponse = await handler(request)
    except _Refused as refused:
        return refused.answer
    return answer


@asynccontextmanager
async def fake_exa() -> AsyncIterator[tuple[FakeExa, str]]:
    """Yield the server and its address."""
    fake = FakeExa()
    app = web.Application(middlewares=[_refusing])
    app.add_routes([web.post("/search", fake.search), web.post("/contents", fake.contents)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield fake, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
