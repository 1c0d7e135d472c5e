"""What all `Lanes` do, those that runners share through MongoDB and those of the tests."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.rate import Busy, Go, Limits
from shared.llm.paced import Lanes
from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provider_lanes import ProviderLanes
from shared.testing.lanes import MemoryLanes
from tests.support.servers import RunningServer

NAME, OTHER = "api.example.com/gpt-5.1", "api.example.com/gpt-5-mini"
PATIENCE_SECONDS = 1.0


class Time:
    """A clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> datetime:
        return datetime(2026, 11, 20, 9, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "MongoDB"])
async def lanes_with(
    request: pytest.FixtureRequest, time: Time, mongo_server: RunningServer, mongo_database: str
) -> AsyncIterator[Callable[[Limits], Lanes]]:
    if request.param == "memory":
        yield lambda limits: MemoryLanes(limits, time)
        return
    mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
    yield lambda limits: ProviderLanes(mongo.database, limits, time, lambda: time.seconds)
    mongo.close()


async def test_without_limits_everything_passes(lanes_with: Callable[[Limits], Lanes]) -> None:
    lanes = lanes_with(Limits())

    assert [await lanes.reserve(NAME, 1_000_000, PATIENCE_SECONDS) for _ in range(100)] == [Go()] * 100


async def test_short_wait_is_granted_and_a_long_one_is_not(lanes_with: Callable[[Limits], Lanes]) -> None:
    lanes = lanes_with(Limits(requests_per_minute=120))

    verdicts = [await lanes.reserve(NAME, 1, PATIENCE_SECONDS) for _ in range(15)]

    waits = [verdict.after_seconds for verdict in verdicts if isinstance(verdict, Go)]
    assert waits[:12] == [0.0] * 12
    assert 0 < waits[12] <= PATIENCE_SECONDS
    assert isinstance(verdicts[14], Busy)


async def test_refused_lane_is_closed_for_as_long_as_was_asked(
    lanes_with: Callable[[Limits], Lanes], time: Time
) -> None:
    lanes = lanes_with(Limits())

    await lanes.refuse(NAME, 30.0)
    closed = await lanes.reserve(NAME, 1, PATIENCE_SECONDS)
    time.seconds = 30.0
    opened = await lanes.reserve(NAME, 1, PATIENCE_SECONDS)

    assert (closed, opened) == (Busy(30.0), Go())


async def test_lanes_are_separate(lanes_with: Callable[[Limits], Lanes]) -> None:
    lanes = lanes_with(Limits())

    await lanes.refuse(NAME, 30.0)

    assert await lanes.reserve(OTHER, 1, PATIENCE_SECONDS) == Go()


async def test_tokens_that_were_not_used_can_be_reserved_again(lanes_with: Callable[[Limits], Lanes]) -> None:
    lanes = lanes_with(Limits(tokens_per_minute=60_000))
    await lanes.reserve(NAME, 6_000, PATIENCE_SECONDS)

    lanes.give_back(NAME, 5_000)

    assert await lanes.reserve(NAME, 5_000, PATIENCE_SECONDS) == Go()
    assert isinstance(await lanes.reserve(NAME, 5_000, PATIENCE_SECONDS), Busy)
