"""Leases on a real MongoDB, whose clock decides."""

import asyncio
from collections.abc import Iterator

import pytest

from shared.settings import ServiceSettings
from shared.store.leases import Leadership, LeaseStore
from shared.store.mongo import Mongo
from tests.support.servers import RunningServer


@pytest.fixture
def mongo(mongo_server: RunningServer, mongo_database: str) -> Iterator[Mongo]:
    mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
    yield mongo
    mongo.close()


async def test_the_first_to_ask_leads_and_keeps_its_epoch(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)

    assert await leases.acquire("scheduler", "one", 30) == Leadership(1)
    assert await leases.acquire("scheduler", "one", 30) == Leadership(1)


async def test_a_lease_that_stands_keeps_others_out(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)
    await leases.acquire("scheduler", "one", 30)

    assert await leases.acquire("scheduler", "two", 30) is None
    assert await leases.acquire("scheduler", "one", 30) == Leadership(1)


async def test_a_lease_that_ran_out_is_taken_with_the_next_epoch(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)
    await leases.acquire("scheduler", "one", -1)

    assert await leases.acquire("scheduler", "two", 30) == Leadership(2)
    assert await leases.acquire("scheduler", "one", 30) is None


async def test_a_released_lease_is_free_at_once(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)
    await leases.acquire("scheduler", "one", 30)

    await leases.release("scheduler", "one")

    assert await leases.acquire("scheduler", "two", 30) == Leadership(2)


async def test_a_lease_is_released_only_by_its_owner(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)
    await leases.acquire("scheduler", "one", 30)

    await leases.release("scheduler", "two")

    assert await leases.acquire("scheduler", "two", 30) is None


async def test_of_many_that_ask_at_once_one_leads(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)

    answers = await asyncio.gather(*(leases.acquire("scheduler", f"owner-{number}", 30) for number in range(8)))

    assert [answer for answer in answers if answer is not None] == [Leadership(1)]


async def test_the_epoch_grows_with_every_change_of_leader_and_only_then(mongo: Mongo) -> None:
    leases = LeaseStore(mongo.database)

    taken = [await leases.acquire("scheduler", owner, -1) for owner in ("one", "one", "two", "two", "one", "three")]

    assert taken == [Leadership(epoch) for epoch in (1, 1, 2, 2, 3, 4)]


@pytest.mark.parametrize("owner", ["$owner", "$$NOW", "a.b"])
async def test_an_owner_may_have_any_name(mongo: Mongo, owner: str) -> None:
    leases = LeaseStore(mongo.database)

    assert await leases.acquire("scheduler", owner, 30) == Leadership(1)
    assert await leases.acquire("scheduler", "one", 30) is None
