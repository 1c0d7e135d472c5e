"""A runner is lost when both MongoDB and NATS say so, and never when only one does."""

from dataclasses import dataclass, field
from typing import Any

import nats.errors
import pytest

from services.scheduler.lost_runners import LostRunners


@dataclass
class Database:
    """What MongoDB knows of runners and runs."""

    silent_runners: list[str]
    ended: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def silent(self) -> list[str]:
        return self.silent_runners

    async def forget(self, runner: str) -> None:
        self.forgotten.append(runner)

    async def end_leases(self, owner: str) -> int:
        self.ended.append(owner)
        return 3


class Server:
    """NATS, answering for those that are connected; or, when it is away, with an error."""

    def __init__(self, *connected: str, error: Exception | None = None) -> None:
        self._connected = {f"presence.runner.{name}" for name in connected}
        self._error = error

    async def request(self, subject: str, timeout: float) -> None:
        if self._error is not None:
            raise self._error
        if subject not in self._connected:
            raise nats.errors.NoRespondersError


async def look(database: Database, server: Server) -> int:
    """Look once; return how often runs were taken over."""
    sweeps = 0

    async def take_over() -> None:
        nonlocal sweeps
        sweeps += 1

    stores: Any = database
    client: Any = server
    leader: Any = None
    await LostRunners(stores, stores, client, leader, take_over).look()
    return sweeps


async def test_a_silent_runner_without_a_connection_is_lost() -> None:
    database = Database(["runner-1"])

    assert await look(database, Server()) == 1

    assert database.ended == database.forgotten == ["runner-1"]


async def test_a_silent_runner_that_is_connected_is_only_slow() -> None:
    database = Database(["runner-1"])

    assert await look(database, Server("runner-1")) == 0

    assert database.ended == database.forgotten == []


async def test_a_runner_that_beats_is_not_asked_for() -> None:
    database = Database([])

    assert await look(database, Server()) == 0


@pytest.mark.parametrize("error", [TimeoutError(), nats.errors.TimeoutError(), nats.errors.ConnectionClosedError()])
async def test_while_nats_cannot_say_nobody_is_lost(error: Exception) -> None:
    database = Database(["runner-1"])

    assert await look(database, Server(error=error)) == 0

    assert database.ended == []


async def test_each_of_several_is_judged_for_itself() -> None:
    database = Database(["runner-1", "runner-2", "runner-3"])

    assert await look(database, Server("runner-2")) == 2

    assert database.ended == ["runner-1", "runner-3"]
