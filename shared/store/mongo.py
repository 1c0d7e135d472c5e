"""The connection to MongoDB, and what its failures mean to the rest of the code."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import bson
import bson.errors
import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, PyMongoError, WTimeoutError

from shared.errors import StorageUnavailable
from shared.settings import ServiceSettings
from shared.store.transaction import Transaction

Result = TypeVar("Result")

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
Database = AsyncIOMotorDatabase[Document]

DUPLICATE_KEY = 11_000
_TRANSACTIONS_TOGETHER = 16
# A server that was started again, or is primary no more, knows nothing of the cursors that were open (43, 237).
_FAILOVER_CODES = frozenset({43, 91, 189, 237, 10_107, 11_600, 11_602, 13_435, 13_436})


class Mongo:
    """One client and its database. Connects on first use, not on construction.

    Every write is confirmed by a majority and by the journal, and every operation ends after
    `mongodb_timeout_seconds`.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self._timeout_seconds = settings.mongodb_timeout_seconds
        self._threads = ThreadPoolExecutor(_TRANSACTIONS_TOGETHER, "transaction")
        timeout = int(self._timeout_seconds * 1_000)
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
        return self._client

    async def transaction(self, work: Callable[[Transaction], Result]) -> Result:
        """Do the work, plain code, in one transaction, again when it collides with another.

        It ends within `mongodb_timeout_seconds`. Whoever is cancelled meanwhile does not know whether it was done.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._transact, work)

    def _transact(self, work: Callable[[Transaction], Result]) -> Result:
        client, database = self._client.delegate, self.database.delegate

        def once(session: ClientSession) -> Result:
            # As the driver's own error, a server that is away would have the driver try again for two minutes.
            with storage_errors():
                return work(Transaction(database, session))

        with storage_errors(), pymongo.timeout(self._timeout_seconds), client.start_session() as session:
            result: Result = session.with_transaction(once)
            return result

    async def ping(self) -> None:
        """Raise StorageUnavailable unless a primary answers."""
        with storage_errors():
            await self.database.command("ping")

    async def server_time(self) -> datetime:
        """Return what time it is by the primary's clock."""
        with storage_errors():
            answer = await self.database.command("hello")
        told: datetime = answer["localTime"]
        return told.replace(tzinfo=UTC)

    def close(self) -> None:
        self._threads.shutdown(wait=False)
        self._client.close()


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the driver's errors about reaching or confirming into StorageUnavailable; all others are bugs and pass."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, WTimeoutError) as error:
        raise StorageUnavailable(f"MongoDB does not answer: {_short(error)}") from error
    except PyMongoError as error:
        if error.timeout or _FAILOVER_CODES & _codes(error):
            raise StorageUnavailable(f"MongoDB does not answer: {_short(error)}") from error
        raise


def _codes(error: PyMongoError) -> set[int | None]:
    """Return every code in an error: a primary that steps down in the middle fails only some writes of a bulk."""
    details = error.details if isinstance(error, BulkWriteError) else {}
    failed = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    return {getattr(error, "code", None), *(item["code"] for item in failed)}


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


def storable_bytes(document: Document) -> int | None:
    """Return how many bytes a document has in the database, or None when it cannot be stored at all."""
    try:
        return len(bson.encode(document))
    except (OverflowError, bson.errors.InvalidDocument, bson.errors.InvalidStringData):
        return None


def _short(error: Exception) -> str:
    """Return the error without the topology description that the driver appends."""
    return str(error).split(", Timeout:")[0][:300]
