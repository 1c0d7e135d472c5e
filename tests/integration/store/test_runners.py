"""Runners say that they are at work, and the silence of one is noticed."""

import asyncio

from shared.domain.run import RunStatus
from shared.store.mongo import Mongo
from shared.store.runners import SILENT_AFTER_SECONDS, RunnerStore
from shared.store.runs import RunStore
from tests.integration.store.given import LEASE_SECONDS, LONG_AGO, claimed, run_of


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


async def test_runs_whose_leases_were_ended_can_be_claimed_at_once(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await claimed(runs, "run_1", owner="runner-1")
    await claimed(runs, "run_2", owner="runner-2")

    assert await runs.end_leases("runner-1") == 1

    taken = await runs.claim(["run_1", "run_2"], "runner-3", LEASE_SECONDS)
    assert [(run["_id"], run["attempt"]) for run in taken] == [("run_1", 2)]


async def test_a_runner_that_was_not_gone_after_all_extends_its_leases_again(mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    claim = await claimed(runs, "run_1", owner="runner-1")
    await runs.end_leases("runner-1")

    assert await runs.extend_leases([claim], "runner-1", LEASE_SECONDS) == []

    assert await runs.claim(["run_1"], "runner-2", LEASE_SECONDS) == []
    assert (await run_of(mongo))["status"] == RunStatus.RUNNING
