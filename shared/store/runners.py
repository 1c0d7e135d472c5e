"""Runners that are at work: each says so several times a second, so that the silence of one is noticed soon."""

from pymongo import WriteConcern

from shared.store.mongo import Collection, Database, storage_errors

BEAT_SECONDS = 0.25
SILENT_AFTER_SECONDS = 0.6


class RunnerStore:
    """The `runners` collection: a document for each runner process, with the time of its last beat."""

    def __init__(self, database: Database) -> None:
        # A beat that is lost is followed by the next; waiting for it to be safe would only slow the others down.
        self._runners: Collection = database["runners"].with_options(write_concern=WriteConcern(w=1))

    async def beat(self, runner: str) -> None:
        """Say that this runner is at work."""
        with storage_errors():
            await self._runners.update_one({"_id": runner}, [{"$set": {"seen_at": "$$NOW"}}], upsert=True)

    async def silent(self) -> list[str]:
        """Return the runners that have not said so for `SILENT_AFTER_SECONDS`, by the database's clock."""
        heard = {"$subtract": ["$$NOW", int(SILENT_AFTER_SECONDS * 1_000)]}
        with storage_errors():
            return [runner["_id"] async for runner in self._runners.find({"$expr": {"$lt": ["$seen_at", heard]}})]

    async def count(self) -> int:
        """Return how many runners are at work, by what they said last."""
        with storage_errors():
            return await self._runners.estimated_document_count()

    async def forget(self, runner: str) -> None:
        """Remove a runner that has stopped, or is lost."""
        with storage_errors():
            await self._runners.delete_one({"_id": runner})
