"""A provisioned database on a real MongoDB, for each test its own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from shared.settings import ServiceSettings
from shared.store.mongo import Mongo
from shared.store.provision import INDEXES, provision_store
from tests.support.servers import RunningServer


@pytest_asyncio.fixture
async def mongo(mongo_server: RunningServer, mongo_database: str) -> AsyncIterator[Mongo]:
    """Yield a connection to a database with all its indexes."""
    mongo = Mongo(ServiceSettings(mongodb_url=mongo_server.url, mongodb_database=mongo_database))
    # The tests before have left the indexes; one that drops a collection has it made again for the next.
    if not INDEXES.keys() <= set(await mongo.database.list_collection_names()):
        await provision_store(mongo.database)
    yield mongo
    mongo.close()
