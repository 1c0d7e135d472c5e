"""`up` as a person runs it: a process of its own, ended by signals."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.ports import free_port
from infra.local.processes import ROOT
from services.cli.connection import FILE, find_connection
from services.cli.errors import NoToken
from tests.support.processes import descendants, process_exists, until
from tests.support.servers import RunningServer

PORTS = ("NATS_PORT", "MONGODB_PORT", "GATEWAY_PORT", "OFFLINE_MODEL_PORT")
NO_SERVERS = {"NATS_URL": "", "MONGODB_URL": ""}
READY = "Ctrl-C stops everything"


class Up:
    """A running `up` and what it has shown so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def shown(self) -> str:
        return self._output.read_text()

    def until_shown(self, text: str) -> None:
        until(lambda: text in self.shown or self.process.poll() is not None, 40)
        assert text in self.shown

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(30)

    def pid_of(self, name: str) -> int:
        found = re.search(rf"{name}\s+service\.\w+ pid=(\d+)", self.shown)
        assert found
        return int(found[1])


@contextmanager
def running_up(folder: Path, **environment: str) -> Iterator[Up]:
    ports = {name: str(free_port()) for name in PORTS}
    variables = {**os.environ, **ports, "DATA_DIR": str(folder), **environment}
    output = folder / "shown.txt"
    with output.open("wb") as shown:
        command = [sys.executable, "-m", "tests.support.standin_up"]
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=shown, stderr=shown)
    try:
        yield Up(process, output)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def folder(server_folder: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="up-", dir=server_folder))


@pytest.fixture
def servers(nats_server: RunningServer, mongo_server: RunningServer) -> dict[str, str]:
    return {"NATS_URL": nats_server.url, "MONGODB_URL": mongo_server.url}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process(folder: Path, number: signal.Signals) -> None:
    with running_up(folder, **NO_SERVERS) as up:
        up.until_shown(READY)
        started = descendants(up.process.pid)

        up.signal(number)

        assert up.exit_code() == 0
        assert len(started) >= 5
        assert not any(process_exists(pid) for pid in started)
        assert re.findall(r"stopping ([\w-]+)", up.shown) == ["gateway", "gating", "runner-1", "nats", "mongod"]


def test_the_banner_shows_addresses_and_a_token(folder: Path, servers: dict[str, str]) -> None:
    with running_up(folder, **servers) as up:
        up.until_shown(READY)

        assert "export TOKEN=ey" in up.shown
        assert "/api/events" in up.shown
        assert f"logs     {folder}/logs" in up.shown


def test_the_command_line_finds_a_running_gateway_and_none_that_has_stopped(
    folder: Path, servers: dict[str, str]
) -> None:
    with running_up(folder, **servers) as up:
        up.until_shown(READY)

        found = find_connection(None, None, folder)
        mode = (folder / FILE).stat().st_mode & 0o777
        up.signal(signal.SIGTERM)

        assert up.exit_code() == 0
    assert found.url in up.shown
    assert f"export TOKEN={found.token.split('.')[0]}" in up.shown
    assert mode == 0o600
    with pytest.raises(NoToken):
        find_connection(None, None, folder)


def test_the_death_of_a_part_is_announced_and_is_the_exit_code(folder: Path, servers: dict[str, str]) -> None:
    with running_up(folder, **servers) as up:
        up.until_shown(READY)
        gating, runner = up.pid_of("gating"), up.pid_of("runner-1")

        os.kill(gating, signal.SIGKILL)
        up.until_shown("gating ended unexpectedly with signal SIGKILL")

        assert f"{folder}/logs/gating.log" in up.shown
        assert process_exists(runner)
        up.signal(signal.SIGTERM)
        assert up.exit_code() == 1


def test_a_failed_start_says_why_and_leaves_nothing(folder: Path, servers: dict[str, str]) -> None:
    with running_up(folder, **servers, STANDIN_BROKEN="gating") as up:
        assert up.exit_code() == 1

        assert "gating ended with exit code 1 before it was ready" in up.shown
        assert "the flux capacitor is missing" in up.shown
        assert not descendants(up.process.pid)


def test_a_second_signal_kills_what_does_not_stop(folder: Path, servers: dict[str, str]) -> None:
    with running_up(folder, **servers, STANDIN_STUBBORN="gateway") as up:
        up.until_shown(READY)
        started = descendants(up.process.pid)
        up.signal(signal.SIGTERM)
        up.until_shown("stopping gateway")

        up.signal(signal.SIGTERM)

        assert up.exit_code() == 0
        assert "killing what is left" in up.shown
        assert not any(process_exists(pid) for pid in started)


def test_a_signal_during_the_start_stops_what_was_started(folder: Path, servers: dict[str, str]) -> None:
    with running_up(folder, **servers, STANDIN_SLOW="gating") as up:
        up.until_shown("service.waiting")
        started = descendants(up.process.pid)

        up.signal(signal.SIGTERM)

        assert up.exit_code() == 0
        assert not any(process_exists(pid) for pid in started)


def test_nothing_survives_a_killed_supervisor(folder: Path) -> None:
    with running_up(folder, **NO_SERVERS) as up:
        up.until_shown(READY)
        started = descendants(up.process.pid)

        up.signal(signal.SIGKILL)

        up.exit_code()
        until(lambda: not any(process_exists(pid) for pid in started))
