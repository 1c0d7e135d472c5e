"""Cooldowns: for how long no other run of an Agent is started for a target, and which run that is because of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, IndexModel, UpdateOne
from pymongo.errors import BulkWriteError

from shared.store.mongo import Collection, Database, duplicate_indexes, storage_errors

# The server deletes each when it is over.
INDEXES = [IndexModel([("until", ASCENDING)], name="over", expireAfterSeconds=0)]


@dataclass(frozen=True, slots=True)
class Cooldown:
    """Until when no run but this one is started under a key."""

    key: str
    run_id: str
    until: datetime


class CooldownStore:
    """The `cooldowns` collection: one document for each key, so that of two gates that start at once only one does."""

    def __init__(self, database: Database) -> None:
        self._cooldowns: Collection = database["cooldowns"]

    async def begin(self, wanted: Sequence[Cooldown], now: datetime) -> dict[str, Cooldown]:
        """Begin those whose key has none at this moment, the first of each key; return by key the one that holds now."""
        if not wanted:
            return {}
        writes = [
            UpdateOne(
                {"_id": each.key, "until": {"$lte": now}},
                {"$set": {"run_id": each.run_id, "until": each.until}},
                upsert=True,
            )
            for each in wanted
        ]
        with storage_errors():
            try:
                await self._cooldowns.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                # The key has one: then its document does not match, and cannot be inserted again.
                duplicate_indexes(error)
            found = self._cooldowns.find({"_id": {"$in": [each.key for each in wanted]}})
            return {each["_id"]: Cooldown(each["_id"], each["run_id"], each["until"]) async for each in found}
