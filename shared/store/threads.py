"""Threads: the runs of a user, newest first, by Agent."""

from collections.abc import Sequence

from pymongo import ASCENDING, DESCENDING, IndexModel

from contracts.agents import EffectKind
from shared.domain.proposal import ProposalStatus
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.upcast import upcast_run

INDEXES = [
    IndexModel(
        [
            ("organisation", ASCENDING), ("user", ASCENDING), ("agent_key", ASCENDING),
            ("queued_at", DESCENDING), ("_id", DESCENDING),
        ],
        name="threads",
    )
]  # fmt: skip
_BULKY = {"output_json": 0, "effects": 0}


class ThreadStore:
    """Reads `runs` and `proposals`. `whose` names an organisation and a user; runs of replays are no threads."""

    def __init__(self, database: Database) -> None:
        self._runs: Collection = database["runs"]
        self._proposals: Collection = database["proposals"]

    async def agents(self, whose: Document) -> list[str]:
        """Return the keys of the Agents that have worked for a user."""
        with storage_errors():
            return sorted(await self._runs.distinct("agent_key", whose))

    async def find(self, whose: Document, agent_keys: Sequence[str], page: Document, limit: int) -> list[Document]:
        """Return the runs of these Agents that match `page` too, newest first."""
        query = {**whose, "agent_key": {"$in": list(agent_keys)}, "replay": None, **page}
        with storage_errors():
            found = self._runs.find(query, _BULKY).sort([("queued_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
            return [upcast_run(run) async for run in found]

    async def pending_diffs(self, whose: Document) -> dict[str, int]:
        """Return how many memory diffs wait for a decision, by Agent."""
        pending = {**whose, "status": ProposalStatus.PENDING, "kind": EffectKind.MEMORY_DIFF}
        stages = [{"$match": pending}, {"$group": {"_id": "$agent_key", "count": {"$sum": 1}}}]
        with storage_errors():
            return {each["_id"]: each["count"] async for each in self._proposals.aggregate(stages)}
