"""Lanes to model providers, shared by runners."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.rate import Busy, Go, LaneState, Limits
from shared.store.mongo import Mongo
from shared.store.provider_lanes import ProviderLanes
from shared.supervise import stop
from tests.support.waiting import until_seen

NAME = "api.example.com/gpt-5.1"
UNKNOWN = Limits()
SOON_SECONDS = 1.0


class Time:
    """A clock that all runners share, and that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> datetime:
        return datetime(2026, 11, 20, 9, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def runner(mongo: Mongo, time: Time) -> Callable[..., ProviderLanes]:
    """Give what makes one more runner."""

    def make(limits: Limits = UNKNOWN) -> ProviderLanes:
        return ProviderLanes(mongo.database, limits, time, time.elapsed)

    return make


@asynccontextmanager
async def following(*runners: ProviderLanes) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in runners]
    yield
    await stop(tasks)


async def state_of(mongo: Mongo) -> LaneState:
    document = await mongo.database["provider_lanes"].find_one({"_id": NAME})
    assert document is not None
    return LaneState(**{key: value for key, value in document.items() if key not in ("_id", "revision")})


async def test_lane_without_limits_is_not_even_written(mongo: Mongo, runner: Callable[..., ProviderLanes]) -> None:
    lanes = runner()

    verdicts = [await lanes.reserve(NAME, 1_000, 1.0) for _ in range(100)]
    await lanes.look()

    assert verdicts == [Go()] * 100
    assert await mongo.database["provider_lanes"].count_documents({}) == 0


async def test_refusal_at_one_runner_slows_the_other_down_soon(runner: Callable[..., ProviderLanes]) -> None:
    one, other = runner(), runner()
    await other.reserve(NAME, 1, 1.0)

    async with following(other):
        await one.refuse(NAME, 30.0)
        async with asyncio.timeout(SOON_SECONDS):
            await until_seen(lambda: other.reserve(NAME, 1, 1.0), lambda verdict: verdict == Busy(30.0))


async def test_runner_that_was_refused_is_slowed_down_without_looking(runner: Callable[..., ProviderLanes]) -> None:
    lanes = runner()

    await lanes.refuse(NAME, 30.0)

    assert await lanes.reserve(NAME, 1, 1.0) == Busy(30.0)


async def test_refusals_of_calls_under_way_together_are_written_once(
    mongo: Mongo, runner: Callable[..., ProviderLanes]
) -> None:
    lanes = runner()

    for _ in range(5):
        await lanes.refuse(NAME, 30.0)

    document = await mongo.database["provider_lanes"].find_one({"_id": NAME})
    assert document is not None
    assert (document["revision"], document["pace"]) == (1, 0.5)


async def test_refusals_at_both_runners_halve_the_pace_once(mongo: Mongo, runner: Callable[..., ProviderLanes]) -> None:
    await asyncio.gather(runner().refuse(NAME, 30.0), runner().refuse(NAME, 30.0))

    assert (await state_of(mongo)).pace == 0.5


async def test_lane_learns_how_fast_all_runners_were(mongo: Mongo, runner: Callable[..., ProviderLanes]) -> None:
    one, other = runner(), runner()
    for lanes in (one, other):
        for _ in range(100):
            await lanes.reserve(NAME, 1, 1.0)

    await one.refuse(NAME, 30.0)
    await other.look()
    await other.look()

    assert (await state_of(mongo)).learned_requests == 200.0


async def test_two_runners_together_pass_no_more_than_the_limit_in_a_minute(
    time: Time, runner: Callable[..., ProviderLanes]
) -> None:
    limits = Limits(requests_per_minute=30)
    runners, moments = [runner(limits), runner(limits)], []

    while time.seconds < 180:
        verdicts = await asyncio.gather(*(each.reserve(NAME, 1, 1.0) for each in runners))
        moments += [time.seconds + verdict.after_seconds for verdict in verdicts if isinstance(verdict, Go)]
        time.seconds += 0.5

    for first in moments:
        assert sum(0 <= other - first < 59.99 for other in moments) <= 30
    assert len(moments) > 80


async def test_tokens_that_one_runner_did_not_use_are_there_for_the_other(
    time: Time, runner: Callable[..., ProviderLanes]
) -> None:
    limits = Limits(tokens_per_minute=60_000)
    one, other = runner(limits), runner(limits)
    await one.reserve(NAME, 6_000, 1.0)
    assert isinstance(await other.reserve(NAME, 6_000, 1.0), Busy)

    one.give_back(NAME, 5_900)
    await one.look()
    await other.look()

    assert await other.reserve(NAME, 5_900, 1.0) == Go()


async def test_lane_that_was_deleted_begins_anew(mongo: Mongo, runner: Callable[..., ProviderLanes]) -> None:
    lanes = runner(Limits(requests_per_minute=1_000))
    await lanes.reserve(NAME, 1, 1.0)
    await mongo.database["provider_lanes"].delete_many({})

    assert await lanes.reserve(NAME, 1, 1.0) == Go()


async def test_calls_at_once_in_one_runner_all_count(mongo: Mongo, runner: Callable[..., ProviderLanes]) -> None:
    lanes = runner(Limits(requests_per_minute=1_000))

    await asyncio.gather(*(lanes.reserve(NAME, 1, 1.0) for _ in range(40)))

    assert (await state_of(mongo)).requests == pytest.approx(60.0)
