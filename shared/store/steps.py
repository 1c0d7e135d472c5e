"""Steps: what each model or tool call of a run was meant to do, and what came of it."""

from datetime import datetime

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from shared.domain.run import Claim
from shared.store.mongo import Collection, Database, Document, storage_errors

INDEXES = [IndexModel([("run_id", ASCENDING), ("index", ASCENDING)], name="by_run")]


class StepStore:
    """The `steps` collection; a step's id is its run's and its index."""

    def __init__(self, database: Database) -> None:
        self._steps: Collection = database["steps"]

    async def of_run(self, run_id: str) -> list[Document]:
        """Return the steps of a run in order."""
        with storage_errors():
            return await self._steps.find({"run_id": run_id}).sort("index", ASCENDING).to_list(None)

    async def intend(self, claim: Claim, index: int, kind: str, request_hash: str, started_at: datetime) -> bool:
        """Record that this attempt is about to make a call; false when a later attempt was here, or a result is."""
        intent = {
            "run_id": claim.run_id,
            "index": index,
            "kind": kind,
            "request_hash": request_hash,
            "attempt": claim.attempt,
            "started_at": started_at,
            "finished_at": None,
        }
        mine = {"_id": _id(claim.run_id, index), "finished_at": None, "attempt": {"$lte": claim.attempt}}
        with storage_errors():
            try:
                await self._steps.update_one(mine, {"$set": intent}, upsert=True)
            except DuplicateKeyError:
                return False
        return True

    async def finish(self, claim: Claim, index: int, finished_at: datetime, outcome: Document) -> bool:
        """Record what came of the call; false when another attempt has taken the step over."""
        with storage_errors():
            result = await self._steps.update_one(
                {"_id": _id(claim.run_id, index), "attempt": claim.attempt, "finished_at": None},
                {"$set": {"finished_at": finished_at, **outcome}},
            )
        return result.matched_count == 1


def _id(run_id: str, index: int) -> str:
    return f"{run_id}:{index}"
