"""What the proxy does to connections, on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import pytest_asyncio

from infra.chaos.proxy import Direction, Proxy, proxied
from infra.local.ports import LOOPBACK, free_port

WITHIN_SECONDS = 5.0
NOT_WITHIN_SECONDS = 0.2


class Server:
    """Echoes every line, and knows what it has heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.has_heard = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while line := await reader.readline():
                self.heard.append(line)
                self.has_heard.set()
                writer.write(line)
        writer.close()


class Client:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, line: bytes) -> None:
        self._writer.write(line)

    async def is_dropped(self) -> bool:
        """Return whether the connection has ended, with or without a word."""
        try:
            return await self.hear() == b""
        except ConnectionError:
            return True

    async def hear(self, within_seconds: float = WITHIN_SECONDS) -> bytes:
        async with asyncio.timeout(within_seconds):
            return await self._reader.readline()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[tuple[Server, int]]:
    server, port = Server(), free_port()
    listener = await asyncio.start_server(server.serve, LOOPBACK, port)
    yield server, port
    listener.close()
    await listener.wait_closed()


@pytest_asyncio.fixture
async def proxy(server: tuple[Server, int]) -> AsyncIterator[Proxy]:
    async with proxied(free_port(), server[1]) as proxy:
        yield proxy


@asynccontextmanager
async def connected(proxy: Proxy) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def test_bytes_pass_both_ways(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        client.say(b"hello\n")

        assert await client.hear() == b"hello\n"


async def test_a_cut_ends_connections_and_refuses_new_ones_until_it_listens_again(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        client.say(b"before\n")
        await client.hear()

        await proxy.cut()

        assert await client.is_dropped()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(LOOPBACK, proxy.port)
    await proxy.listen()
    async with connected(proxy) as client:
        client.say(b"after\n")
        assert await client.hear() == b"after\n"


async def test_a_stall_holds_everything_back_and_loses_nothing(proxy: Proxy) -> None:
    async with connected(proxy) as client:
        proxy.stall(*Direction)
        client.say(b"held back\n")
        with pytest.raises(TimeoutError):
            await client.hear(NOT_WITHIN_SECONDS)

        proxy.resume()

        assert await client.hear() == b"held back\n"


async def test_stalled_answers_let_requests_pass(proxy: Proxy, server: tuple[Server, int]) -> None:
    async with connected(proxy) as client:
        proxy.stall(Direction.ANSWERS)
        client.say(b"asked\n")

        async with asyncio.timeout(WITHIN_SECONDS):
            await server[0].has_heard.wait()
        with pytest.raises(TimeoutError):
            await client.hear(NOT_WITHIN_SECONDS)
        proxy.resume()
        assert await client.hear() == b"asked\n"


async def test_stalled_requests_do_not_reach_the_server(proxy: Proxy, server: tuple[Server, int]) -> None:
    async with connected(proxy) as client:
        proxy.stall(Direction.REQUESTS)
        client.say(b"asked\n")
        with pytest.raises(TimeoutError):
            await client.hear(NOT_WITHIN_SECONDS)

        assert server[0].heard == []
        proxy.resume()
        assert await client.hear() == b"asked\n"


async def test_a_connection_to_a_server_that_is_away_is_closed() -> None:
    async with proxied(free_port(), free_port()) as proxy, connected(proxy) as client:
        assert await client.hear() == b""


async def test_what_the_server_says_last_arrives(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    writer.write(b"last\n")
    writer.write_eof()

    async with asyncio.timeout(WITHIN_SECONDS):
        assert await reader.read() == b"last\n"
    writer.close()
    await writer.wait_closed()
