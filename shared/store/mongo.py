"""The connection to MongoDB, and what its failures mean to the rest of the code."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

from shared.errors import StorageUnavailable
from shared.settings import ServiceSettings

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Database = AsyncIOMotorDatabase[Document]

DUPLICATE_KEY = 11_000
_FAILOVER_CODES = frozenset({91, 189, 10_107, 11_600, 11_602, 13_435, 13_436})


class Mongo:
    """One client and its database. Connects on first use, not on construction.

    Every write is confirmed by a majority and by the journal, and every operation ends after
    `mongodb_timeout_seconds`.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        timeout = int(settings.mongodb_timeout_seconds * 1_000)
        self._client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            settings.mongodb_url,
            tz_aware=True,
            tzinfo=UTC,
            w="majority",
            journal=True,
            retryWrites=True,
            timeoutMS=timeout,
            serverSelectionTimeoutMS=min(timeout, 3_000),
            appname="towpath",
        )
        self.database: Database = self._client.get_database(
            settings.mongodb_database, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC)
        )

    @property
    def client(self) -> AsyncIOMotorClient[Document]:
        """For transactions."""
        return self._client

    async def ping(self) -> None:
        """Raise StorageUnavailable unless a primary answers."""
        with storage_errors():
            await self.database.command("ping")

    def close(self) -> None:
        self._client.close()


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the driver's errors about reaching or confirming into StorageUnavailable; all others are bugs and pass."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, WTimeoutError) as error:
        raise StorageUnavailable(f"MongoDB does not answer: {_short(error)}") from error
    except PyMongoError as error:
        if error.timeout or getattr(error, "code", None) in _FAILOVER_CODES:
            raise StorageUnavailable(f"MongoDB does not answer: {_short(error)}") from error
        raise


def duplicate_indexes(error: BulkWriteError) -> set[int]:
    """Return the positions of the documents that were there already; any other write error is raised again."""
    errors = error.details.get("writeErrors", [])
    if error.details.get("writeConcernErrors"):
        raise StorageUnavailable("MongoDB did not confirm a write") from error
    if any(item["code"] != DUPLICATE_KEY for item in errors):
        raise error
    return {item["index"] for item in errors}


async def insert_new(collection: Collection, documents: list[Document]) -> set[int]:
    """Insert the documents that are not there yet, and return the positions of those that were."""
    if not documents:
        return set()
    with storage_errors():
        try:
            await collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return duplicate_indexes(error)
    return set()


def _short(error: Exception) -> str:
    """Return the error without the topology description that the driver appends."""
    return str(error).split(", Timeout:")[0][:300]
