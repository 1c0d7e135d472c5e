"""Leases: which process leads, by the database's clock."""

from dataclasses import dataclass

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.store.mongo import Collection, Database, storage_errors


@dataclass(frozen=True, slots=True)
class Leadership:
    """The lease is this process's; the epoch grows with every change of leader."""

    epoch: int


class LeaseStore:
    """The `leases` collection."""

    def __init__(self, database: Database) -> None:
        self._leases: Collection = database["leases"]

    async def acquire(self, name: str, owner: str, seconds: float) -> Leadership | None:
        """Take or extend the lease; none when another owner's still stands."""
        is_mine = {"$eq": ["$owner", {"$literal": owner}]}
        # Decided in the update, because a query that may insert cannot compare with the server's clock.
        is_free = {"$lte": [{"$ifNull": ["$expires_at", 0]}, "$$NOW"]}
        may_have = {"$or": [is_mine, is_free]}
        changes = {
            "epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, {"$cond": [{"$and": [is_free, {"$not": is_mine}]}, 1, 0]}]},
            "owner": {"$cond": [may_have, {"$literal": owner}, "$owner"]},
            "expires_at": {"$cond": [may_have, {"$add": ["$$NOW", int(seconds * 1_000)]}, "$expires_at"]},
        }
        with storage_errors():
            try:
                lease = await self._leases.find_one_and_update(
                    {"_id": name}, [{"$set": changes}], upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:
                return None
        return Leadership(lease["epoch"]) if lease["owner"] == owner else None

    async def release(self, name: str, owner: str) -> None:
        """Let another owner take the lease at once."""
        with storage_errors():
            await self._leases.update_one({"_id": name, "owner": owner}, [{"$set": {"expires_at": "$$NOW"}}])
