"""The stack in-process: real servers, stand-ins for the services."""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from pymongo import MongoClient

from infra.local.errors import DataFolderInUse, PortTaken, StartFailed
from infra.local.ports import LOOPBACK
from infra.local.settings import NATS_PORTS, LocalSettings
from infra.local.stack import Stack
from tests.support.processes import descendants, eventually, listening, process_exists
from tests.support.servers import RunningServer
from tests.support.standin import standins


@pytest.fixture
def settings(server_folder: Path, nats_server: RunningServer, mongo_server: RunningServer) -> LocalSettings:
    given = LocalSettings(nats_url=nats_server.url, mongodb_url=mongo_server.url)
    return given.on_free_ports(Path(tempfile.mkdtemp(prefix="stack-", dir=server_folder)))


@pytest.fixture
def settings_without_servers(settings: LocalSettings) -> LocalSettings:
    return settings.model_copy(update={"nats_url": None, "mongodb_url": None})


def _stack(settings: LocalSettings, **environment: str) -> Stack:
    return Stack(settings, quiet=True, layout=standins, environment=environment)


async def test_everything_runs_until_the_stack_is_closed(settings_without_servers: LocalSettings) -> None:
    before = descendants(os.getpid())

    async with _stack(settings_without_servers) as stack:
        names = ["nats", "mongod", "gateway", "gating", "runner-1"]
        pids = [stack.pid(name) for name in names]
        assert all(process_exists(pid) for pid in pids)

    assert descendants(os.getpid()) <= before
    assert stack.deaths == []


@pytest.mark.xdist_group("clusters")
async def test_clusters_listen_on_loopback_alone_and_their_members_go_by_name(
    settings_without_servers: LocalSettings,
) -> None:
    clusters = settings_without_servers.model_copy(update={"cluster": 3}).on_free_ports(
        settings_without_servers.data_folder
    )
    async with _stack(clusters) as stack:
        assert stack.nats is not None
        assert stack.mongo is not None
        leader, primary = await stack.nats.meta_leader(), await stack.mongo.primary()
        names = [f"{kind}-{number}" for kind in ("nats", "mongod") for number in (1, 2, 3)]
        assert all(stack.is_running(name) for name in names)
        assert {leader, primary} <= set(names)
        addresses = [address for name in names for address in listening(stack.pid(name))]
        assert addresses == [LOOPBACK] * (NATS_PORTS[3] + 3)

    assert stack.deaths == []


async def test_data_survives_to_the_next_start(settings_without_servers: LocalSettings) -> None:
    async with _stack(settings_without_servers) as stack:
        with MongoClient[dict[str, object]](stack.mongodb_url) as client:
            client["kept"]["documents"].insert_one({"_id": 1})

    async with _stack(settings_without_servers) as stack:
        with MongoClient[dict[str, object]](stack.mongodb_url) as client:
            count = client["kept"]["documents"].count_documents({})

    assert count == 1


async def test_a_killed_part_starts_again_under_another_pid(settings: LocalSettings) -> None:
    own_nats = settings.model_copy(update={"nats_url": None})
    async with _stack(own_nats) as stack:
        killed = {name: stack.pid(name) for name in ("runner-1", "nats")}

        for name in killed:
            await stack.kill(name)
            assert not stack.is_running(name)
            await stack.start(name)

        assert all(stack.pid(name) != pid for name, pid in killed.items())
        assert stack.deaths == []


async def test_a_terminated_part_stops_by_itself(settings: LocalSettings) -> None:
    async with _stack(settings) as stack:
        assert await stack.terminate("gating")

        assert not stack.is_running("gating")
        assert '"service.stopped"' in stack.log_path("gating").read_text()


async def test_a_frozen_part_still_stops_by_itself(settings: LocalSettings) -> None:
    async with _stack(settings) as stack:
        os.kill(stack.pid("gating"), signal.SIGSTOP)

        assert await stack.terminate("gating")


async def test_a_failed_start_shows_the_log_and_leaves_nothing(settings: LocalSettings) -> None:
    before = descendants(os.getpid())

    with pytest.raises(StartFailed, match=r"gating ended with exit code 1 .*\n(.*\n)*the flux capacitor is missing"):
        await _stack(settings, STANDIN_BROKEN="gating").open()

    assert descendants(os.getpid()) <= before


async def test_failed_provisioning_keeps_the_services_from_starting(settings: LocalSettings) -> None:
    stack = _stack(settings, STANDIN_BROKEN="provision")

    with pytest.raises(StartFailed, match="provision ended with exit code 1"):
        await stack.open()

    assert not stack.log_path("gateway").exists()


async def test_a_taken_gateway_port_stops_the_start_before_anything_runs(settings: LocalSettings) -> None:
    async with _stack(settings):
        other = settings.on_free_ports(settings.data_folder / "other")
        clash = other.model_copy(update={"gateway_port": settings.gateway_port})

        with pytest.raises(PortTaken, match=f"Port {settings.gateway_port} .*GATEWAY_PORT"):
            await _stack(clash).open()

        assert not list(clash.log_folder.glob("*.log"))


async def test_a_second_stack_in_the_same_folder_is_refused(settings: LocalSettings) -> None:
    async with _stack(settings):
        second = settings.on_free_ports(settings.data_folder)

        with pytest.raises(DataFolderInUse, match=rf"pid {os.getpid()}\).*DATA_DIR"):
            await _stack(second).open()


async def test_given_servers_are_used_and_not_started(settings: LocalSettings) -> None:
    async with _stack(settings) as stack:
        assert (stack.nats_url, stack.mongodb_url) == (settings.nats_url, settings.mongodb_url)
        assert (stack.nats, stack.mongo) == (None, None)


async def test_an_end_nobody_asked_for_is_remembered(settings: LocalSettings) -> None:
    async with _stack(settings) as stack:
        os.kill(stack.pid("gating"), signal.SIGKILL)

        await eventually(lambda: stack.deaths == ["gating ended unexpectedly with signal SIGKILL"])
