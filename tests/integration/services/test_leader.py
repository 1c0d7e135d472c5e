"""One scheduler leads, and another takes over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.local.mongo import MongoServer
from services.scheduler.leader import Leader
from shared.settings import ServiceSettings
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from tests.support.processes import eventually


@asynccontextmanager
async def standing(
    mongo: Mongo, owner: str, lease_seconds: float = 0.6
) -> AsyncIterator[tuple[Leader, asyncio.Task[None]]]:
    leader = Leader(LeaseStore(mongo.database), owner, lease_seconds)
    task = asyncio.create_task(leader.run())
    try:
        yield leader, task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_of_several_one_leads(mongo: Mongo) -> None:
    async with standing(mongo, "one") as (one, _), standing(mongo, "two") as (two, _):
        await eventually(lambda: one.is_leading.is_set() or two.is_leading.is_set())

        assert one.is_leading.is_set() != two.is_leading.is_set()


async def test_a_leader_that_stops_lets_another_lead_before_its_lease_runs_out(mongo: Mongo) -> None:
    async with standing(mongo, "one", lease_seconds=300) as (one, task):
        await one.is_leading.wait()
        async with standing(mongo, "two") as (two, _):
            task.cancel()
            await asyncio.wait([task])

            await eventually(two.is_leading.is_set)
            assert not one.is_leading.is_set()


async def test_a_leader_that_hangs_loses_the_lead_to_another(mongo: Mongo) -> None:
    await LeaseStore(mongo.database).acquire("scheduler", "hanging", 0.3)

    async with standing(mongo, "two") as (two, _):
        await eventually(two.is_leading.is_set)


async def test_a_leader_that_cannot_reach_the_database_does_not_lead(own_mongo_server: MongoServer) -> None:
    mongo = Mongo(ServiceSettings(mongodb_url=own_mongo_server.url, mongodb_timeout_seconds=0.5))
    async with standing(mongo, "one") as (one, _):
        await one.is_leading.wait()

        await asyncio.to_thread(own_mongo_server.kill)
        await eventually(lambda: not one.is_leading.is_set())

        await asyncio.to_thread(own_mongo_server.start)
        await eventually(one.is_leading.is_set)
    mongo.close()
