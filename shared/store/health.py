"""What one process found out about the health of the whole, for all others to read."""

from typing import Any

from shared.store.mongo import Collection, Database, Document, storage_errors


class HealthStore:
    """The `health` collection: one document for each subject, as it was last found."""

    def __init__(self, database: Database) -> None:
        self._health: Collection = database["health"]

    async def report(self, subject: str, facts: dict[str, Any]) -> None:
        """Replace what was said about the subject."""
        with storage_errors():
            await self._health.replace_one({"_id": subject}, facts, upsert=True)

    async def read(self, subject: str) -> Document | None:
        """Return what was last said about the subject."""
        with storage_errors():
            return await self._health.find_one({"_id": subject})
