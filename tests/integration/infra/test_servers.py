"""The embedded servers: what is stored survives a kill, and a start that cannot work says why."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nats
import pytest
from pymongo import MongoClient

from infra.local.errors import PortTaken, StartFailed
from infra.local.mongo import MongoServer
from infra.local.nats import NatsServer
from infra.local.ports import LOOPBACK, free_port
from tests.support.processes import process_exists, until


async def _publish_one(url: str) -> None:
    client = await nats.connect(url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
    await client.jetstream().publish("kept.one", b"1")
    await client.close()


async def _stored(url: str) -> dict[str, int]:
    client = await nats.connect(url)
    streams = await client.jetstream().streams_info()
    await client.close()
    return {str(stream.config.name): stream.state.messages for stream in streams}


def _insert_one(server: MongoServer) -> None:
    with MongoClient[dict[str, object]](server.url) as client:
        client["kept"]["documents"].insert_one({"_id": 1})


def _count(server: MongoServer) -> int:
    with MongoClient[dict[str, object]](server.url) as client:
        return client["kept"]["documents"].count_documents({})


async def test_a_killed_nats_server_keeps_its_streams(own_nats_server: NatsServer) -> None:
    await _publish_one(own_nats_server.url)

    own_nats_server.kill()
    own_nats_server.start()

    assert await _stored(own_nats_server.url) == {"KEPT": 1}


async def test_a_wiped_nats_server_starts_empty(own_nats_server: NatsServer) -> None:
    await _publish_one(own_nats_server.url)

    own_nats_server.wipe()
    own_nats_server.start()

    assert await _stored(own_nats_server.url) == {}


def test_a_killed_mongod_keeps_its_documents(own_mongo_server: MongoServer) -> None:
    _insert_one(own_mongo_server)

    own_mongo_server.kill()
    own_mongo_server.start()

    assert _count(own_mongo_server) == 1


def test_mongod_on_another_port_is_primary_of_its_old_data(own_mongo_server: MongoServer) -> None:
    _insert_one(own_mongo_server)
    assert own_mongo_server.stop()

    own_mongo_server.port = free_port()
    own_mongo_server.start()

    assert _count(own_mongo_server) == 1


def test_starting_a_running_server_changes_nothing(own_nats_server: NatsServer) -> None:
    pid = own_nats_server.pid

    own_nats_server.start()

    assert own_nats_server.pid == pid


def test_a_taken_port_is_named_with_its_holder_and_its_setting(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as holder:
        port = holder.getsockname()[1]

        with pytest.raises(PortTaken) as taken:
            NatsServer(port, tmp_path / "nats").start()

    assert f"Port {port} is already taken by " in str(taken.value)
    assert f"(pid {os.getpid()})" in str(taken.value)
    assert "NATS_PORT" in str(taken.value)


class BrokenServer(NatsServer):
    """A server whose program fails at once."""

    def _command(self) -> Sequence[str]:
        return ["sh", "-c", "echo the disk is on fire; exit 3"]


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = BrokenServer(free_port(), tmp_path / "nats")

    with pytest.raises(StartFailed, match=r"exit code 3.*\n.*the disk is on fire"):
        server.start()

    assert not server.is_running


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from infra.local.nats import NatsServer; "
        "server = NatsServer(int(sys.argv[1]), Path(sys.argv[2])); server.start(); print(server.pid, flush=True); "
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script, str(free_port()), str(tmp_path / "nats")]

    pid = int(subprocess.run(command, check=False, capture_output=True, text=True, timeout=30).stdout)

    until(lambda: not process_exists(pid))
