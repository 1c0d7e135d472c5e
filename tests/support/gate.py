"""A gate before a model provider, at which a test can hold a call before the provider hears of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from infra.local.ports import LOOPBACK, free_port

Document = dict[str, Any]


@dataclass(slots=True)
class Gate:
    """Passes calls on, but for one: the call that follows on as many tool calls as `held_after` says."""

    session: aiohttp.ClientSession
    provider_url: str
    url: str
    held_after: int | None = None
    has_come: asyncio.Event = field(default_factory=asyncio.Event)
    _may_go: asyncio.Event = field(default_factory=asyncio.Event)

    def hold(self, tool_calls: int) -> None:
        """Hold the next call that comes after so many tool calls; `has_come` tells that it is here."""
        self.held_after = tool_calls
        self.has_come.clear()
        self._may_go.clear()

    def drop(self) -> None:
        """Drop what is held, and hold nothing more."""
        self.held_after = None
        self._may_go.set()

    async def pass_on(self, request: web.Request) -> web.Response:
        """Answer a call as the provider does."""
        asked = await request.json()
        if _tool_calls(asked) == self.held_after:
            self.has_come.set()
            await self._may_go.wait()
            return web.Response(status=503)
        async with self.session.post(f"{self.provider_url}{request.path}", json=asked) as answer:
            return web.Response(body=await answer.read(), status=answer.status, content_type="application/json")


@asynccontextmanager
async def gate_before(provider_url: str) -> AsyncIterator[Gate]:
    """Open a gate before a provider."""
    port = free_port()
    async with aiohttp.ClientSession() as session:
        gate = Gate(session, provider_url, f"http://{LOOPBACK}:{port}")
        app = web.Application()
        app.add_routes([web.post("/v1/responses", gate.pass_on)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield gate
        gate.drop()
        await runner.cleanup()


def _tool_calls(asked: Document) -> int:
    return sum(item.get("type") == "function_call" for item in asked["input"])
