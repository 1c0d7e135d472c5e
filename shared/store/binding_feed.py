"""Bindings as they change: all of them at first, then only what is new, so that a change costs the same among 20,000."""

import asyncio
from datetime import UTC, datetime, timedelta

from shared.domain.binding import Binding
from shared.store.bindings import binding_of
from shared.store.mongo import Collection, Database, Document, storage_errors

_OVERLAP = timedelta(seconds=3)
"""How far back it looks again: longer than a write takes, or than the clocks of a replica set differ."""
_PAUSE_AFTER = 500


class BindingFeed:
    """One reader of the `bindings` collection, which remembers how far it has read, by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._bindings: Collection = database["bindings"]
        self._read_until: datetime | None = None

    async def all(self) -> list[Binding]:
        """Return every binding of every organisation."""
        return await self._read({})

    async def changed(self) -> list[Binding]:
        """Return the bindings that were changed since the last read, and some that are known already."""
        if self._read_until is None:
            return await self.all()
        return await self._read({"changed_at": {"$gte": self._read_until - _OVERLAP}})

    async def _read(self, query: Document) -> list[Binding]:
        with storage_errors():
            began_at = (await self._database.command("hello"))["localTime"].replace(tzinfo=UTC)
            found: list[Binding] = []
            async for document in self._bindings.find(query):
                found.append(binding_of(document))
                if len(found) % _PAUSE_AFTER == 0:
                    await asyncio.sleep(0)
        self._read_until = began_at
        return found
