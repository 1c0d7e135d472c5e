"""What is written together or not at all, also when several write the same."""

import asyncio

import pytest

from shared.errors import StorageUnavailable
from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.transaction import Transaction
from tests.support.servers import RunningServer

ONE = {"_id": "one"}


def counting(within: Transaction) -> None:
    """Count up, as somebody would who reads before he writes."""
    found = within["health"].find_one(ONE) or {"count": 0}
    within["health"].replace_one(ONE, {"count": found["count"] + 1}, upsert=True)


async def test_those_that_write_the_same_do_so_one_after_the_other(mongo: Mongo) -> None:
    await asyncio.gather(*(mongo.transaction(counting) for _ in range(20)))

    assert await mongo.database["health"].find_one(ONE) == {"_id": "one", "count": 20}


async def test_nothing_of_a_transaction_that_fails_is_there(mongo: Mongo) -> None:
    def failing(within: Transaction) -> None:
        counting(within)
        raise LookupError("something else is missing")

    with pytest.raises(LookupError):
        await mongo.transaction(failing)

    assert await mongo.database["health"].find_one(ONE) is None


async def test_one_that_collides_for_longer_than_an_operation_may_take_ends_in_an_error(
    mongo_server: RunningServer, mongo_database: str, mongo: Mongo
) -> None:
    settings = ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database)
    hasty = Mongo(settings.model_copy(update={"mongodb_timeout_seconds": 0.5}))
    await mongo.transaction(counting)
    async with await mongo.client.start_session() as session:
        session.start_transaction()
        await mongo.database["health"].update_one(ONE, {"$inc": {"count": 1}}, session=session)

        with pytest.raises(StorageUnavailable):
            await hasty.transaction(counting)
        await session.commit_transaction()

    await hasty.transaction(counting)
    assert await mongo.database["health"].find_one(ONE) == {"_id": "one", "count": 3}
    hasty.close()
