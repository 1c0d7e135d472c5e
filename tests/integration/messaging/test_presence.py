"""Processes answer that they are there, and silence is noticed at once."""

import asyncio
import sys
import time

import nats
import pytest

from infra.local.nats import NatsServer
from infra.local.processes import ROOT
from shared.messaging.presence import announce_presence, is_present
from tests.support.servers import RunningServer


async def asked(url: str, *arguments: str) -> int | None:
    """Ask as a health check does; return the exit code."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "shared.messaging.presence", *arguments),
        cwd=ROOT,
        env={"NATS_URL": url},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


@pytest.mark.parametrize("instance", ["one", "host.example-7", "ü *>"])
async def test_who_has_announced_itself_answers_for_its_service_and_itself(
    nats_server: RunningServer, instance: str
) -> None:
    one, other = await nats.connect(nats_server.url), await nats.connect(nats_server.url)
    await announce_presence(one, "gating", instance)

    assert await is_present(other, "gating")
    assert await is_present(other, "gating", instance)
    await one.close()
    await other.close()


async def test_nobody_there_is_noticed_at_once(nats_server: RunningServer) -> None:
    one, other = await nats.connect(nats_server.url), await nats.connect(nats_server.url)
    await announce_presence(one, "scheduler", "one")
    asked_at = time.monotonic()

    assert not await is_present(other, "nobody")
    assert not await is_present(other, "scheduler", "two")
    # One question alone would take so long if silence had to be waited for.
    assert time.monotonic() - asked_at < 2

    await one.close()
    assert not await is_present(other, "scheduler")
    await other.close()


async def test_of_several_instances_each_answers_for_all(nats_server: RunningServer) -> None:
    clients = [await nats.connect(nats_server.url) for _ in range(3)]
    for number, client in enumerate(clients[:2]):
        await announce_presence(client, "runner", str(number))

    await clients[0].close()

    assert await is_present(clients[2], "runner")
    assert not await is_present(clients[2], "runner", "0")
    assert await is_present(clients[2], "runner", "1")
    await clients[1].close()
    await clients[2].close()


async def test_a_health_check_tells_it_by_its_exit_code(own_nats_server: NatsServer) -> None:
    client = await nats.connect(own_nats_server.url)
    await announce_presence(client, "gating", "one")

    present = await asked(own_nats_server.url, "--service", "gating", "--instance", "one")
    absent = await asked(own_nats_server.url, "--service", "scheduler")
    await client.close()
    own_nats_server.kill()
    without_server = await asked(own_nats_server.url, "--service", "gating")

    assert (present, absent, without_server) == (0, 1, 1)
