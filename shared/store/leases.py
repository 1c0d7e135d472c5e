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
        free = {"$or": [{"owner": owner}, {"$expr": {"$lt": ["$expires_at", "$$NOW"]}}]}
        is_mine = {"$eq": ["$owner", {"$literal": owner}]}
        changes = {
            "epoch": {"$cond": [is_mine, "$epoch", {"$add": [{"$ifNull": ["$epoch", 0]}, 1]}]},
            "owner": {"$literal": owner},
            "expires_at": {"$add": ["$$NOW", int(seconds * 1_000)]},
        }
        with storage_errors():
            try:
                lease = await self._leases.find_one_and_update(
                    {"_id": name, **free}, [{"$set": changes}], upsert=True, return_document=ReturnDocument.AFTER
                )
            except DuplicateKeyError:
                return None
        return None if lease is None else Leadership(lease["epoch"])

    async def release(self, name: str, owner: str) -> None:
        """Let another owner take the lease at once."""
        with storage_errors():
            await self._leases.update_one({"_id": name, "owner": owner}, [{"$set": {"expires_at": "$$NOW"}}])
