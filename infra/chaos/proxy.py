"""A TCP proxy whose connections can be cut and stalled."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto

from infra.local.ports import LOOPBACK

_CHUNK_BYTES = 256 * 1_024
_CONNECT_SECONDS = 2.0


class Direction(Enum):
    """Which way bytes go."""

    REQUESTS = auto()
    ANSWERS = auto()


class Proxy:
    """Stands in front of one server on loopback. What is stalled is held back, never lost, as a network does it."""

    def __init__(self, port: int, server_port: int) -> None:
        self.port = port
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._may_pass = {direction: asyncio.Event() for direction in Direction}
        for gate in self._may_pass.values():
            gate.set()

    async def listen(self) -> None:
        """Accept connections from now on; raises OSError when the port is taken."""
        self._listener = await asyncio.start_server(self._on_connection, LOOPBACK, self.port, limit=_CHUNK_BYTES)

    async def cut(self) -> None:
        """Drop every connection, and refuse new ones until `listen`."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def stall(self, *directions: Direction) -> None:
        """Let nothing pass in these directions until `resume`; connections stay open."""
        for direction in directions:
            self._may_pass[direction].clear()

    def resume(self) -> None:
        """Let everything pass, beginning with what was held back."""
        for gate in self._may_pass.values():
            gate.set()

    def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closed_at_the_end(writer):
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    server_reader, server_writer = await asyncio.open_connection(
                        LOOPBACK, self._server_port, limit=_CHUNK_BYTES
                    )
            except (OSError, TimeoutError):
                return
            async with _closed_at_the_end(server_writer):
                await self._both_ways((reader, server_writer), (server_reader, writer))

    async def _both_ways(
        self,
        requests: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        answers: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        forwards = {
            asyncio.ensure_future(self._forward(*requests, Direction.REQUESTS)),
            asyncio.ensure_future(self._forward(*answers, Direction.ANSWERS)),
        }
        try:
            # One side may have said its last word while the other still talks.
            await asyncio.wait(forwards, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for forward in forwards:
                forward.cancel()
            await asyncio.gather(*forwards, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        gate = self._may_pass[direction]
        while chunk := await reader.read(_CHUNK_BYTES):
            await gate.wait()
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def _closed_at_the_end(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close the connection at the end; when it is cut, without what it still holds."""
    try:
        yield
    except asyncio.CancelledError:
        writer.transport.abort()
        raise
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def proxied(port: int, server_port: int) -> AsyncIterator[Proxy]:
    """Run a proxy until the block ends."""
    proxy = Proxy(port, server_port)
    await proxy.listen()
    try:
        yield proxy
    finally:
        proxy.resume()
        await proxy.cut()
