"""A provisioned database, and a gateway on it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking, a_gateway
from tests.integration.store.conftest import mongo
from tests.support.servers import RunningServer

__all__ = ["mongo"]


@pytest_asyncio.fixture
async def asking(mongo: Mongo, mongo_server: RunningServer, mongo_database: str) -> AsyncIterator[Asking]:
    """Yield a gateway on the database of this test."""
    async with a_gateway(mongo_server.url, mongo_database) as asking:
        yield asking
