"""Steps: what each model or tool call of a run was meant to do, what is known of it meanwhile, and what came of it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from pymongo import ASCENDING, IndexModel, ReturnDocument

from shared.domain.run import Claim
from shared.store.bodies import BodyStore
from shared.store.group_commit import GroupCommit
from shared.store.merging import in_commands, merge_by_id
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors
from shared.store.upcast import STEP_SCHEMA, upcast_step

INDEXES = [IndexModel([("run_id", ASCENDING), ("index", ASCENDING)], name="by_run")]

_MOST_TOGETHER = 256
_MOST_RESULT_BYTES = 256 * 1_024
"""A larger result is kept as a body, so that the steps of a run can be read together."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that an attempt is about to make. `name` says which model or tool, `request_hash` what it is asked."""

    claim: Claim
    index: int
    kind: str
    name: str
    request_hash: str
    started_at: datetime

    def document(self) -> Document:
        return {
            "_id": _id(self.claim, self.index),
            "schema": STEP_SCHEMA,
            "run_id": self.claim.run_id,
            "index": self.index,
            "kind": self.kind,
            "name": self.name,
            "request_hash": self.request_hash,
            "attempt": self.claim.attempt,
            "started_at": self.started_at,
            "finished_at": None,
        }


@dataclass(frozen=True, slots=True)
class _Change:
    id: str
    attempt: int
    fields: Document

    def is_in(self, step: Document) -> bool:
        """Whether the step holds this change, and no other attempt's or call's."""
        return {"attempt": self.attempt, **self.fields}.items() <= step.items()


class StepStore:
    """The `steps` collection; a step's id is its run's and its index. Steps of many runs are written together."""

    def __init__(self, database: Database) -> None:
        self._steps: Collection = database["steps"]
        self._bodies = BodyStore(database)
        self._intents: GroupCommit[Intent, Document | None] = GroupCommit(self._write_intents, most=_MOST_TOGETHER)
        self._changes: GroupCommit[_Change, bool] = GroupCommit(self._write_changes, most=_MOST_TOGETHER)

    async def of_run(self, run_id: str) -> list[Document]:
        """Return the steps of a run in order, as this version writes them."""
        with storage_errors():
            cursor = self._steps.find({"run_id": run_id}).sort("index", ASCENDING)
            return [upcast_step(step) async for step in cursor]

    async def result_of(self, step: Document) -> dict[str, Any]:
        """Return what came of a finished step, wherever it is kept."""
        reference = step.get("result_body")
        json = step["result_json"] if reference is None else await self._bodies.get(reference)
        result: dict[str, Any] = orjson.loads(json)
        return result

    async def intend(self, intent: Intent) -> Document | None:
        """Record that an attempt is about to make a call, and return the facts noted of the same call by an earlier one.

        None when a later attempt was here, or when the result of this very request is. The result of another request,
        of an earlier attempt, gives way.
        """
        return await self._intents.submit(intent)

    async def note(self, claim: Claim, index: int, facts: Mapping[str, Any]) -> bool:
        """Record all that is known of a call under way; false when another attempt has taken the step over."""
        return await self._change(claim, index, {"facts": dict(facts)})

    async def fail(self, claim: Claim, index: int, code: str, detail: str, at: datetime) -> bool:
        """Record why the call failed; it stays when a later attempt makes the call again."""
        error = {"code": code, "detail": detail, "at": at, "attempt": claim.attempt}
        return await self._change(claim, index, {"error": error})

    async def finish(self, claim: Claim, index: int, finished_at: datetime, result: Mapping[str, Any]) -> bool:
        """Record what came of the call; false when another attempt has taken the step over."""
        json = orjson.dumps(result)
        if len(json) <= _MOST_RESULT_BYTES:
            kept: Document = {"result_json": json.decode()}
        else:
            reference = await self._bodies.put(claim.run_id, f"step-{index}", json.decode())
            kept = {"result_body": reference, "result_bytes": len(json)}
        return await self._change(claim, index, {"finished_at": finished_at, **kept})

    async def _change(self, claim: Claim, index: int, fields: Document) -> bool:
        return await self._changes.submit(_Change(_id(claim, index), claim.attempt, fields))

    async def _write_intents(self, intents: list[Intent]) -> Sequence[Document | None]:
        documents = [intent.document() for intent in intents]
        known = await insert_new(self._steps, documents)
        return [{} if index not in known else await self._renew(document) for index, document in enumerate(documents)]

    async def _renew(self, intent: Document) -> Document | None:
        attempt, request_hash = intent["attempt"], intent["request_hash"]
        mine = {
            "_id": intent["_id"],
            "$or": [
                {"finished_at": None, "attempt": {"$lte": attempt}},
                {"request_hash": {"$ne": request_hash}, "attempt": {"$lt": attempt}},
            ],
        }
        # In one write with taking the step over: what an earlier attempt notes before that is known, and after that
        # it can note no more.
        renewed = {"$mergeObjects": [{"$literal": intent}, {"error": "$error"}, _facts_kept(request_hash)]}
        with storage_errors():
            before = await self._steps.find_one_and_update(
                mine, [{"$replaceWith": renewed}], return_document=ReturnDocument.BEFORE
            )
        if before is None:
            return None
        is_same_call = before["finished_at"] is None and before["request_hash"] == request_hash
        facts: Document = before.get("facts", {}) if is_same_call else {}
        return facts

    async def _write_changes(self, changes: list[_Change]) -> Sequence[bool]:
        with storage_errors():
            if await self._write_mine(changes) == len(changes):
                return [True] * len(changes)
            now = {
                step["_id"]: step async for step in self._steps.find({"_id": {"$in": [each.id for each in changes]}})
            }
        return [change.is_in(now.get(change.id, {})) for change in changes]

    async def _write_mine(self, changes: list[_Change]) -> int:
        by_attempt: dict[int, dict[str, Document]] = defaultdict(dict)
        for change in changes:
            of_step = by_attempt[change.attempt]
            of_step[change.id] = {**of_step.get(change.id, {}), **change.fields}
        matched = 0
        for attempt, fields in by_attempt.items():
            for part in in_commands(fields):
                mine = {"_id": {"$in": list(part)}, "attempt": attempt, "finished_at": None}
                matched += (await self._steps.update_many(mine, [merge_by_id(part)])).matched_count
        return matched


def _facts_kept(request_hash: str) -> Document:
    """Return the expression for the facts of a step that is taken over: those of another call, or of one that is over, go."""
    is_same_call = [{"$eq": ["$finished_at", None]}, {"$eq": ["$request_hash", {"$literal": request_hash}]}]
    return {"$cond": [{"$and": is_same_call}, {"facts": "$facts"}, {}]}


def _id(claim: Claim, index: int) -> str:
    return f"{claim.run_id}:{index}"
