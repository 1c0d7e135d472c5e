"""A runner is lost when both MongoDB and NATS say so, and never when only one does."""

from dataclasses import dataclass, field
from typing import Any

import nats.errors
import pytest

from services.scheduler.lost_runners import LostRunners
from services.scheduler.steadiness import Steadiness
from tests.support.steadying import Seconds, steady


@dataclass
class Database:
    """What MongoDB knows of runners and runs."""

    silent_runners: list[str]
    taken_over: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def silent(self) -> list[str]:
        return self.silent_runners

    async def forget(self, runner: str) -> None:
        self.forgotten.append(runner)

    async def take_over_from(self, owner: str) -> int:
        self.taken_over.append(owner)
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


async def look(database: Database, server: Server, steadiness: Steadiness | None = None) -> None:
    stores: Any = database
    client: Any = server
    leader: Any = None
    await LostRunners(stores, stores, client, leader, steadiness or steady()).look()


async def test_a_silent_runner_without_a_connection_is_lost() -> None:
    database = Database(["runner-1"])

    await look(database, Server())

    assert database.taken_over == database.forgotten == ["runner-1"]


async def test_a_silent_runner_that_is_connected_is_only_slow() -> None:
    database = Database(["runner-1"])

    await look(database, Server("runner-1"))

    assert database.taken_over == database.forgotten == []


async def test_a_runner_that_beats_is_not_asked_for() -> None:
    database = Database([])

    await look(database, Server())

    assert database.taken_over == []


@pytest.mark.parametrize("error", [TimeoutError(), nats.errors.TimeoutError(), nats.errors.ConnectionClosedError()])
async def test_while_nats_cannot_say_nobody_is_lost(error: Exception) -> None:
    database = Database(["runner-1"])

    await look(database, Server(error=error))

    assert database.taken_over == []


async def test_each_of_several_is_judged_for_itself() -> None:
    database = Database(["runner-1", "runner-2", "runner-3"])

    await look(database, Server("runner-2"))

    assert database.taken_over == ["runner-1", "runner-3"]


async def test_just_after_mongodb_was_away_every_runner_was_silent_and_none_is_lost() -> None:
    database = Database(["runner-1"])

    await look(database, Server(), Steadiness(Seconds()))

    assert database.taken_over == database.forgotten == []
