"""One part of the stack while it runs."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import assert_never

import aiohttp

from infra.local.errors import StartFailed
from infra.local.lines import parse
from infra.local.parts import Accepts, Answers, Finishes, Logs, Part
from infra.local.ports import accepts, require_free
from infra.local.processes import Child, Program, describe_exit, last_lines
from infra.local.tail import Tail

POLL_SECONDS = 0.03
START_TIMEOUT_SECONDS = 60.0
PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2)


class Supervised:
    """Starts and stops one part, knows whether it is ready, and hands its log lines on."""

    def __init__(
        self, part: Part, log_path: Path, environment: Mapping[str, str], on_line: Callable[[str, str], None] | None
    ) -> None:
        self.part = part
        self.log_path = log_path
        self._environment = environment
        self._on_line = on_line
        self._child: Child | None = None
        self._tail = Tail(log_path)
        self._events: set[str] = set()
        self._is_ready = False
        self._end_is_expected = False

    @property
    def name(self) -> str:
        """What the part is called."""
        return self.part.name

    @property
    def pid(self) -> int:
        """The process id; `RuntimeError` when it was never started."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether its process exists."""
        return self._child is not None and self._child.exit_code is None

    @property
    def was_ready(self) -> bool:
        """Whether its last start got as far as being ready."""
        return self._is_ready

    def take_unexpected_end(self) -> int | None:
        """Return the exit code, once, when it ended although it was ready and nobody asked for the end."""
        code = None if self._child is None else self._child.exit_code
        # In this order: whoever kills it, in another thread, says before that the end is expected.
        if code is None or self._end_is_expected or not self._is_ready:
            return None
        self._end_is_expected = True
        return code

    def require_free_port(self) -> None:
        """Raise `PortTaken` when the port it will listen on is not free."""
        if self.part.port is not None:
            require_free(self.part.port, self.part.port_setting)

    async def start(self) -> None:
        """Start it and wait until it is ready; raise `StartFailed` when it ends or stays silent instead."""
        self.require_free_port()
        self._tail = Tail(self.log_path)
        self._events.clear()
        self._is_ready = self._end_is_expected = False
        self._child = Program(self.name, self.part.command, self.log_path, self._environment).start()
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                await self._ready(self._child)
        except TimeoutError as error:
            raise self._failed(f"was not ready after {START_TIMEOUT_SECONDS:.0f} s") from error
        self._is_ready = True

    async def stop(self) -> tuple[bool, int]:
        """Ask it to stop, kill it when that takes too long; return whether it stopped by itself, and its exit code."""
        if self._child is None:
            return True, 0
        self._end_is_expected = True
        stopped = await asyncio.to_thread(self._child.stop, self.part.stop_timeout_seconds)
        self.read_log()
        return stopped, self._child.wait()

    def kill(self) -> None:
        """End it as `kill -9` does; nothing happens when it does not run."""
        self._end_is_expected = True
        if self._child is not None:
            self._child.kill()

    def read_log(self) -> None:
        """Hand on the lines logged since the last call; when nobody wants them, reading ends with the start."""
        if self._is_ready and self._on_line is None:
            return
        for raw in self._tail.read():
            if not self._is_ready and (line := parse(raw)):
                self._events.add(line.event)
            if self._on_line is not None:
                self._on_line(self.name, raw)

    async def _ready(self, child: Child) -> None:
        if isinstance(self.part.readiness, Finishes):
            await self._finished(child)
            return
        while not await self._answers_ready():
            if child.exit_code is not None:
                raise self._failed(f"ended with {describe_exit(child.exit_code)} before it was ready")
            await asyncio.sleep(POLL_SECONDS)

    async def _finished(self, child: Child) -> None:
        while child.exit_code is None:
            await asyncio.sleep(POLL_SECONDS)
        self._end_is_expected = True
        if child.exit_code != 0:
            raise self._failed(f"ended with {describe_exit(child.exit_code)}")

    async def _answers_ready(self) -> bool:
        match self.part.readiness:
            case Logs(event):
                self.read_log()
                return event in self._events
            case Answers(url):
                return await _answers_ok(url)
            case Accepts(port):
                return accepts(port)
            case Finishes():
                return False
            case _:
                assert_never(self.part.readiness)

    def _failed(self, what: str) -> StartFailed:
        return StartFailed(f"{self.name} {what}. The end of {self.log_path}:\n{last_lines(self.log_path)}")


async def _answers_ok(url: str) -> bool:
    try:
        async with aiohttp.ClientSession(timeout=PROBE_TIMEOUT) as session, session.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
