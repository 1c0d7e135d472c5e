"""Answers of the gate to the events that this process has just accepted."""

import asyncio
from collections.abc import Iterable
from typing import Any

import orjson

Decisions = list[dict[str, Any]]


class GateAnswers:
    """Hands the gate's messages to whoever waits for them. Nothing depends on one arriving."""

    def __init__(self) -> None:
        self._expected: dict[str, list[asyncio.Future[Decisions]]] = {}

    def take(self, answer: bytes) -> None:
        """Take one message of the gate: decisions by event key, as JSON."""
        for key, decisions in orjson.loads(answer).items():
            for waiting in self._expected.pop(key, ()):
                if not waiting.done():
                    waiting.set_result(decisions)

    def expect(self, keys: Iterable[str]) -> dict[str, asyncio.Future[Decisions]]:
        """Begin to wait for these events; call it before they are published."""
        loop = asyncio.get_running_loop()
        futures = {}
        for key in keys:
            futures[key] = loop.create_future()
            self._expected.setdefault(key, []).append(futures[key])
        return futures

    async def collect(self, futures: dict[str, asyncio.Future[Decisions]], seconds: float) -> dict[str, Decisions]:
        """Return the answers that come in time, and wait no longer for the others."""
        if futures:
            await asyncio.wait(futures.values(), timeout=seconds)
        for key, future in futures.items():
            if not future.done():
                self._forget(key, future)
        return {key: future.result() for key, future in futures.items() if future.done()}

    def _forget(self, key: str, future: asyncio.Future[Decisions]) -> None:
        waiting = self._expected.get(key, [])
        if future in waiting:
            waiting.remove(future)
        if not waiting:
            self._expected.pop(key, None)
