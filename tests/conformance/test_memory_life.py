"""Two people and three Agents at one memory block at the same time: nothing is lost, and nothing is applied twice."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provision import provision_store
from tests.conformance.memory_life import promises
from tests.conformance.memory_life.moves import MOVES, Desk, Kind, Move
from tests.support.duration import LONG
from tests.support.servers import RunningServer

FIRST = [Move(Kind.APPEND, number, 0, 0, 0) for number in range(3)]


class MemoryLife(RuleBasedStateMachine):
    """Moments in which several do something at once; whatever they see of each other is up to the server."""

    loop: asyncio.Runner
    mongo: Mongo
    places: Iterator[int]
    moves: int
    ends: Counter[str]
    broken: AssertionError | None = None

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(self.mongo, f"acme-{next(self.places)}")

    @initialize()
    def begin(self) -> None:
        self.at_once(FIRST)

    @rule(moves=st.lists(MOVES, min_size=1, max_size=6))
    def at_once(self, moves: list[Move]) -> None:
        try:
            self.loop.run(self._make(moves))
        except AssertionError as error:
            type(self).broken = error
            raise
        type(self).moves += len(moves)

    async def _make(self, moves: list[Move]) -> None:
        await asyncio.gather(*(self.desk.make(move) for move in moves))
        await promises.check(self.desk)

    def teardown(self) -> None:
        self.ends.update(self.desk.refused)
        self.ends["done"] += self.desk.done


def _let_it_run() -> None:
    """Let the machine run. A failure is told as it was: in a second look, what happens at once happens otherwise."""
    try:
        run_state_machine_as_test(
            MemoryLife,
            settings=settings(
                max_examples=150 if LONG else 6,
                stateful_step_count=20 if LONG else 10,
                # What happened at once happens otherwise the next time: a smaller example would be looked for in vain.
                phases=[Phase.generate],
                database=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    except (AssertionError, HypothesisException) as error:
        raise MemoryLife.broken or error from None


@pytest.mark.timeout(1_800)
def test_whatever_is_done_at_once_no_text_is_lost_and_nothing_is_applied_twice(
    mongo_server: RunningServer, mongo_database: str
) -> None:
    with asyncio.Runner() as loop, structlog.testing.capture_logs():
        mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
        loop.run(provision_store(mongo.database))
        MemoryLife.loop, MemoryLife.mongo, MemoryLife.places = loop, mongo, itertools.count()
        MemoryLife.moves, MemoryLife.ends, MemoryLife.broken = 0, Counter(), None
        _let_it_run()
        mongo.close()
    # Else it would be no test: much of it happened.
    assert MemoryLife.ends["done"] > MemoryLife.moves / 4
