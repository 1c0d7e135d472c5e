"""Runners say that they are at work, and the silence of one is noticed."""

import asyncio

from shared.store.mongo import Mongo
from shared.store.runners import SILENT_AFTER_SECONDS, RunnerStore
from tests.integration.store.given import LONG_AGO


async def silence(mongo: Mongo, runner: str) -> None:
    await mongo.database["runners"].update_one({"_id": runner}, {"$set": {"seen_at": LONG_AGO}})


async def test_a_runner_that_beats_is_not_silent(mongo: Mongo) -> None:
    runners = RunnerStore(mongo.database)

    await runners.beat("runner-1")

    assert await runners.silent() == []


async def test_a_runner_that_stops_beating_is_silent_soon(mongo: Mongo) -> None:
    runners = RunnerStore(mongo.database)
    await runners.beat("runner-1")

    async with asyncio.timeout(SILENT_AFTER_SECONDS + 5):
        while await runners.silent() != ["runner-1"]:
            await asyncio.sleep(0.02)


async def test_only_the_silent_ones_are_named(mongo: Mongo) -> None:
    runners = RunnerStore(mongo.database)
    await runners.beat("runner-1")
    await runners.beat("runner-2")
    await silence(mongo, "runner-1")

    assert await runners.silent() == ["runner-1"]


async def test_a_runner_that_beats_again_is_silent_no_more(mongo: Mongo) -> None:
    runners = RunnerStore(mongo.database)
    await runners.beat("runner-1")
    await silence(mongo, "runner-1")

    await runners.beat("runner-1")

    assert await runners.silent() == []


async def test_a_runner_that_is_forgotten_is_not_missed(mongo: Mongo) -> None:
    runners = RunnerStore(mongo.database)
    await runners.beat("runner-1")
    await silence(mongo, "runner-1")

    await runners.forget("runner-1")

    assert await runners.silent() == []
