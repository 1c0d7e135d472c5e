"""The figures of an installation, by queries that stay cheap however much it has done."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.store.dead_letters import TOTALS
from shared.store.mongo import Collection, Database, Document, storage_errors

INVARIANTS = "invariants"
"""The document of the collection `health` in which the leading scheduler counts violations."""


@dataclass(frozen=True, slots=True)
class OpenRuns:
    """Runs that are alike, and how long the oldest of them has been as it is, by the database's clock."""

    status: str
    lane: str
    waiting_for: str | None
    count: int
    oldest_age_seconds: float


@dataclass(frozen=True, slots=True)
class Violations:
    """What the last check of the invariants found."""

    at: datetime
    by_name: dict[str, int]


class MetricsStore:
    """Reads across collections; writes nothing."""

    def __init__(self, database: Database) -> None:
        self._runs: Collection = database["runs"]
        self._letters: Collection = database["dead_letters"]
        self._health: Collection = database["health"]

    async def open_runs(self) -> list[OpenRuns]:
        """Count the runs that something is still to be done about: those that ended are in it until they are settled."""
        kind = {"status": "$status", "lane": "$lane", "waiting_for": "$waiting_for.what"}
        age = {"$divide": [{"$subtract": ["$$NOW", "$changed_at"]}, 1_000]}
        pipeline: list[Document] = [
            {"$match": {"sweep_at": {"$exists": True}}},
            {"$group": {"_id": kind, "count": {"$sum": 1}, "oldest": {"$max": age}}},
        ]
        with storage_errors():
            # The index of what is under way: it does not grow with what is done.
            groups = await self._runs.aggregate(pipeline, hint="to_sweep").to_list(None)
        return [_open_runs(group) for group in groups]

    async def dead_letters(self) -> dict[tuple[str, str], int]:
        """Count the dead letters that are kept, by kind and status."""
        group = {"_id": {"kind": "$kind", "status": "$status"}, "count": {"$sum": 1}}
        with storage_errors():
            # Sorted, so that the index is read and no document.
            found = self._letters.aggregate([{"$sort": {"kind": 1, "status": 1}}, {"$group": group}], hint="to_count")
            return {(each["_id"]["kind"], each["_id"]["status"]): each["count"] async for each in found}

    async def dead_letter_totals(self) -> dict[str, dict[str, int]]:
        """Return how many dead letters were ever kept, redriven and discarded, each by kind."""
        totals = await self._health_document(TOTALS)
        return {what: by_kind for what, by_kind in totals.items() if what != "_id"}

    async def violations(self) -> Violations | None:
        """Return what the last check of the invariants found; none before the first check."""
        found = await self._health_document(INVARIANTS)
        return Violations(found["at"], found["violations"]) if found else None

    async def _health_document(self, name: str) -> Document:
        with storage_errors():
            return await self._health.find_one({"_id": name}) or {}


def _open_runs(group: dict[str, Any]) -> OpenRuns:
    kind = group["_id"]
    return OpenRuns(kind["status"], kind["lane"], kind.get("waiting_for"), group["count"], max(0.0, group["oldest"]))
