"""Steps: what each model or tool call of a run was meant to do, and what came of it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from shared.domain.run import Claim
from shared.store.group_commit import GroupCommit
from shared.store.merging import in_commands, merge_by_id
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors

INDEXES = [IndexModel([("run_id", ASCENDING), ("index", ASCENDING)], name="by_run")]

_MOST_TOGETHER = 256


@dataclass(frozen=True, slots=True)
class _Result:
    id: str
    attempt: int
    finished_at: datetime
    outcome: Document

    def changes(self) -> Document:
        return {"finished_at": self.finished_at, **self.outcome}

    def is_in(self, step: Document) -> bool:
        """Whether the step holds this result, and no other attempt's or call's."""
        return {"attempt": self.attempt, **self.changes()}.items() <= step.items()


class StepStore:
    """The `steps` collection; a step's id is its run's and its index. Steps of many runs are written together."""

    def __init__(self, database: Database) -> None:
        self._steps: Collection = database["steps"]
        self._intents: GroupCommit[Document, bool] = GroupCommit(self._write_intents, most=_MOST_TOGETHER)
        self._results: GroupCommit[_Result, bool] = GroupCommit(self._write_results, most=_MOST_TOGETHER)

    async def of_run(self, run_id: str) -> list[Document]:
        """Return the steps of a run in order."""
        with storage_errors():
            return await self._steps.find({"run_id": run_id}).sort("index", ASCENDING).to_list(None)

    async def intend(self, claim: Claim, index: int, kind: str, request_hash: str, started_at: datetime) -> bool:
        """Record that this attempt is about to make a call.

        False when a later attempt was here, or when the result of this very request is. The result of another request,
        of an earlier attempt, gives way.
        """
        intent = {
            "_id": _id(claim.run_id, index),
            "run_id": claim.run_id,
            "index": index,
            "kind": kind,
            "request_hash": request_hash,
            "attempt": claim.attempt,
            "started_at": started_at,
            "finished_at": None,
        }
        return await self._intents.submit(intent)

    async def finish(self, claim: Claim, index: int, finished_at: datetime, outcome: Document) -> bool:
        """Record what came of the call; false when another attempt has taken the step over."""
        return await self._results.submit(_Result(_id(claim.run_id, index), claim.attempt, finished_at, outcome))

    async def _write_intents(self, intents: list[Document]) -> Sequence[bool]:
        known = await insert_new(self._steps, intents)
        return [index not in known or await self._renew(intent) for index, intent in enumerate(intents)]

    async def _renew(self, intent: Document) -> bool:
        attempt = intent["attempt"]
        mine = {
            "_id": intent["_id"],
            "$or": [
                {"finished_at": None, "attempt": {"$lte": attempt}},
                {"request_hash": {"$ne": intent["request_hash"]}, "attempt": {"$lt": attempt}},
            ],
        }
        with storage_errors():
            result = await self._steps.update_one(mine, {"$set": intent, "$unset": {"result_json": ""}})
        return result.matched_count == 1

    async def _write_results(self, results: list[_Result]) -> Sequence[bool]:
        with storage_errors():
            if await self._finish(results) == len(results):
                return [True] * len(results)
            now = {
                step["_id"]: step async for step in self._steps.find({"_id": {"$in": [each.id for each in results]}})
            }
        return [result.is_in(now.get(result.id, {})) for result in results]

    async def _finish(self, results: list[_Result]) -> int:
        by_attempt: dict[int, dict[str, Document]] = defaultdict(dict)
        for result in results:
            by_attempt[result.attempt][result.id] = result.changes()
        matched = 0
        for attempt, changes in by_attempt.items():
            for part in in_commands(changes):
                mine = {"_id": {"$in": list(part)}, "attempt": attempt, "finished_at": None}
                matched += (await self._steps.update_many(mine, [merge_by_id(part)])).matched_count
        return matched


def _id(run_id: str, index: int) -> str:
    return f"{run_id}:{index}"
