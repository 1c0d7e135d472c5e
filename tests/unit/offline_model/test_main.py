"""The process."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process

import aiohttp

ENOUGH_SECONDS = 20.0


async def started(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "infra.offline_model", *arguments, stdout=PIPE, stderr=PIPE
    )


async def test_process_says_where_it_is_and_ends_in_order_on_sigterm() -> None:
    process = await started("--port", "0", "--latency-ms", "1")
    assert process.stdout is not None
    async with asyncio.timeout(ENOUGH_SECONDS):
        line = (await process.stdout.readline()).decode()
        address = line.split()[-1].removesuffix("/v1")
        async with aiohttp.ClientSession() as session, session.get(f"{address}/health") as answer:
            health = await answer.json()

        process.send_signal(signal.SIGTERM)
        _, complaints = await process.communicate()

    assert "no AI" in line
    assert health == {"status": "ok", "offline_model": "rule-based, no AI"}
    assert (process.returncode, complaints) == (0, b"")


async def test_taken_port_is_named() -> None:
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]

    process = await started("--port", str(port))
    async with asyncio.timeout(ENOUGH_SECONDS):
        _, complaints = await process.communicate()

    taken.close()
    assert process.returncode == 1
    assert f"127.0.0.1:{port}" in complaints.decode()
    assert "Traceback" not in complaints.decode()
