"""The database's clock, told by processes whose own clocks may be anything."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from shared.errors import StorageUnavailable
from shared.store.server_clock import ServerClock
from tests.unit.shared.given import NOW

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Machine:
    """A server and a process on it, each with its own idea of the time; `pass_` lets real time pass."""

    def __init__(self, server: datetime = NOW, local: datetime = NOW) -> None:
        self.server = server
        self.local = local
        self.elapsed_seconds = 1_000.0
        self.trip_seconds = 0.0
        self.is_away = False

    def pass_(self, seconds: float) -> None:
        self.server += timedelta(seconds=seconds)
        self.local += timedelta(seconds=seconds)
        self.elapsed_seconds += seconds

    async def server_time(self) -> datetime:
        if self.is_away:
            raise StorageUnavailable("It does not answer.")
        self.pass_(self.trip_seconds / 2)
        told = self.server
        self.pass_(self.trip_seconds / 2)
        return told

    def clock(self) -> ServerClock:
        mongo: Any = self
        return ServerClock(mongo, lambda: self.local, lambda: self.elapsed_seconds)


@pytest.fixture(autouse=True)
def _unconfigured_logging() -> Iterator[None]:
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


def test_until_the_server_has_answered_it_is_this_machines_time() -> None:
    machine = Machine(server=NOW + HOUR)
    clock = machine.clock()

    machine.pass_(5)

    assert clock() == NOW + 5 * SECOND


@pytest.mark.parametrize("off", [-HOUR, -SECOND, timedelta(0), 0.25 * SECOND, 24 * HOUR])
async def test_it_is_the_servers_time_however_far_this_machine_is_off(off: timedelta) -> None:
    machine = Machine(local=NOW + off)
    clock = machine.clock()

    await clock.measure()
    machine.pass_(7)

    assert clock() == machine.server


@pytest.mark.parametrize("step", [-HOUR, HOUR])
async def test_a_step_of_this_machines_clock_changes_nothing(step: timedelta) -> None:
    machine = Machine()
    clock = machine.clock()
    await clock.measure()

    machine.local += step
    machine.pass_(3)

    assert clock() == machine.server


async def test_the_time_that_the_answer_took_is_halved() -> None:
    machine = Machine()
    machine.trip_seconds = 2.0
    clock = machine.clock()

    await clock.measure()

    assert clock() == machine.server


async def test_while_the_server_is_away_its_last_answer_counts_on() -> None:
    machine = Machine(local=NOW + HOUR)
    clock = machine.clock()
    await clock.measure()
    machine.is_away = True

    machine.pass_(60)
    with pytest.raises(StorageUnavailable):
        await clock.measure()

    assert clock() == machine.server


async def test_the_time_has_the_milliseconds_that_the_database_keeps() -> None:
    machine = Machine()
    clock = machine.clock()
    await clock.measure()

    machine.pass_(0.0019)

    assert clock() == NOW + timedelta(milliseconds=1)


async def test_a_machine_that_is_far_off_is_told_of_once() -> None:
    machine = Machine(local=NOW + 30 * SECOND)

    with capture_logs() as logs:
        clock = machine.clock()
        for _ in range(3):
            await clock.measure()
            machine.pass_(10)

    assert [(entry["event"], entry["seconds"]) for entry in logs] == [("clock.differs", 30.0)]
