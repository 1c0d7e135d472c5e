"""The revision of the configuration: a number that grows after every change of an Agent or a binding."""

from shared.store.mongo import Collection, Database, storage_errors

_ID = "configuration"


class Revision:
    """One document. Whoever reads a number finds every change that led to it."""

    def __init__(self, database: Database) -> None:
        self._revisions: Collection = database["revisions"]

    async def advance(self) -> None:
        """Note that something was changed, once the change is written."""
        with storage_errors():
            await self._revisions.update_one({"_id": _ID}, {"$inc": {"number": 1}}, upsert=True)

    async def number(self) -> int:
        """Return the present number; 0 before the first change."""
        with storage_errors():
            found = await self._revisions.find_one({"_id": _ID})
        return 0 if found is None else int(found["number"])
