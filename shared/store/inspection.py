"""Questions to the whole database, answered by the server: how many documents are wrong, and which are the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pymongo

from shared.store.mongo import Document, Mongo, storage_errors


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one collection: what its stages let through is wrong, and `_id` names it.

    `index` must exist and bounds what the server reads; without it, the whole collection is read.
    """

    collection: str
    stages: Sequence[Document]
    index: str | None = None

    def counting(self, shown: int) -> list[Document]:
        """Return the pipeline that counts everything and names the first few."""
        first = [{"$limit": shown}, {"$project": {"_id": 1}}]
        return [*self.stages, {"$facet": {"counted": [{"$count": "count"}], "first": first}}]

    def options(self) -> dict[str, Any]:
        """Return how the pipeline is to be run."""
        return {"allowDiskUse": True, **({} if self.index is None else {"hint": self.index})}


@dataclass(frozen=True, slots=True)
class Finding:
    """How many documents are wrong, and the ids of the first few."""

    count: int
    ids: tuple[str, ...]

    @classmethod
    def read(cls, answers: Sequence[Document]) -> "Finding":
        """Read the answer to the pipeline of a probe; a collection that does not exist answers nothing."""
        if not answers:
            return cls(0, ())
        counted = answers[0]["counted"]
        ids = tuple(str(each["_id"]) for each in answers[0]["first"])
        return cls(counted[0]["count"] if counted else 0, ids)

    def also_in(self, later: "Finding") -> "Finding":
        """Return what was wrong at both times; as the later one when there is more than is named."""
        if self.count > len(self.ids) or later.count > len(later.ids):
            return later
        both = tuple(each for each in later.ids if each in self.ids)
        return Finding(len(both), both)


class Inspection:
    """Asks; it never writes."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def now(self) -> datetime:
        """Return the time by the database's clock, by which everything is stored."""
        return await self._mongo.server_time()

    async def look(self, probe: Probe, shown: int, limit_seconds: float) -> Finding:
        """Ask one question; raises StorageUnavailable when the server needs longer, which then stops looking."""
        with storage_errors(), pymongo.timeout(limit_seconds):
            cursor = self._mongo.database[probe.collection].aggregate(probe.counting(shown), **probe.options())
            return Finding.read(await cursor.to_list(None))
