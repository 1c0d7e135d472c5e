"""What the runs of one Agent came to, as far as they are kept: how many, what they used, how long they took.

Replays and batches are not among them; the runs of a batch are.
"""

from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel

from shared.domain.run import RunStatus
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.upcast import upcast_run

# Of fields that a run never changes: it costs one entry for each run and no more.
INDEXES = [
    IndexModel([("organisation", ASCENDING), ("agent_key", ASCENDING), ("queued_at", DESCENDING)], name="of_agent")
]
_HINT = "of_agent"


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """Counts of runs by status, tokens and calls of all of them, and the median of those that were completed.

    `since` is when the oldest run that is kept was queued, None without any; so is the median.
    """

    by_status: dict[str, int]
    input_tokens: int
    output_tokens: int
    model_calls: int
    median_seconds: float | None
    since: datetime | None


class AgentFiguresStore:
    """Reads the `runs` collection along the index `of_agent`. A query names `organisation` and `agent_key`."""

    def __init__(self, database: Database) -> None:
        self._runs: Collection = database["runs"]

    async def figures(self, query: Document) -> AgentFigures:
        """Return the figures of all runs that match."""
        query = {**query, "replay": None, "batch": None}
        sums = {name: {"$sum": f"$usage.{name}"} for name in ("input_tokens", "output_tokens", "model_calls")}
        group = {"_id": "$status", "count": {"$sum": 1}, "since": {"$min": "$queued_at"}, **sums}
        with storage_errors():
            groups = await self._runs.aggregate([{"$match": query}, {"$group": group}], hint=_HINT).to_list(None)
        by_status = {status.value: 0 for status in RunStatus} | {each["_id"]: each["count"] for each in groups}
        return AgentFigures(
            by_status=by_status,
            input_tokens=sum(each["input_tokens"] for each in groups),
            output_tokens=sum(each["output_tokens"] for each in groups),
            model_calls=sum(each["model_calls"] for each in groups),
            median_seconds=await self._median_seconds(query, by_status[RunStatus.COMPLETED]),
            since=min((each["since"] for each in groups), default=None),
        )

    async def counts(self, query: Document) -> dict[str, int]:
        """Return how many of the runs that match have each status; none of a status that no run has."""
        with storage_errors():
            found = self._runs.aggregate(
                [{"$match": {**query, "replay": None}}, {"$group": {"_id": "$status", "count": {"$sum": 1}}}],
                hint=_HINT,
            )
            return {each["_id"]: each["count"] async for each in found}

    async def latest(self, query: Document) -> Document | None:
        """Return the run that was queued last, with its output."""
        with storage_errors():
            found = (
                await self._runs.find({**query, "replay": None})
                .hint(_HINT)
                .sort("queued_at", DESCENDING)
                .limit(1)
                .to_list(1)
            )
        return upcast_run(found[0]) if found else None

    async def _median_seconds(self, query: Document, completed: int) -> float | None:
        """Return the lower median of the times from the first start to the end."""
        if not completed:
            return None
        seconds = {"$divide": [{"$subtract": ["$finished_at", "$started_at"]}, 1_000]}
        pipeline: list[Document] = [
            {"$match": {**query, "status": RunStatus.COMPLETED}},
            {"$project": {"_id": 0, "seconds": seconds}},
            {"$sort": {"seconds": 1}},
            {"$skip": (completed - 1) // 2},
            {"$limit": 1},
        ]
        with storage_errors():
            found = await self._runs.aggregate(pipeline, hint=_HINT, allowDiskUse=True).to_list(1)
        return float(found[0]["seconds"]) if found else None
