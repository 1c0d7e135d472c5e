"""Runs that are batches, and the runs that belong to them. A batch is queued, and waits for its children, until its end."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson
from pymongo import ASCENDING, IndexModel

from contracts.lanes import Lane
from shared.domain.batch import CHILD_TARGET, Batch, Child, child_run_id
from shared.domain.decision import Target
from shared.domain.run import RunStatus, Usage, Waiting
from shared.domain.slot import OwnLimits
from shared.store.mongo import Collection, Document, insert_new, storage_errors
from shared.store.run_documents import NewRun, run_document, usage_document, waiting_document

OF_PARENT = "of_parent"
INDEXES = [
    IndexModel([("parent_id", ASCENDING)], name=OF_PARENT, partialFilterExpression={"parent_id": {"$exists": True}})
]
LOOK_AGAIN_AFTER = timedelta(seconds=30)
"""The end of each child has its batch looked at; this is for the case that nobody told."""
WAITS_FOR_CHILDREN: Document = {"waiting_for.what": Waiting.CHILDREN}
_RESUMABLE = (RunStatus.COMPLETED, RunStatus.CANCELLED)


def batch_of(run: Document) -> Batch:
    """Return the batch that a stored parent is."""
    stored = run["batch"]
    return Batch(stored["users"], stored["size"], stored["round"])


def child_document(parent: Document, user: str, now: datetime) -> Document:
    """Return the run of one user of a batch, of the same version and event; it is let go like one whose wait is over."""
    batch = parent["batch"]
    run = NewRun(
        id=child_run_id(parent["_id"], user, batch["round"]),
        **{name: parent[name] for name in _AS_THE_PARENT},
        user=user,
        target=Target(CHILD_TARGET, user),
        lane=Lane(parent["lane"]),
        queued_at=now,
        own_limits=OwnLimits(**parent["own_limits"]),
        waiting_for=waiting_document(Waiting.DELAY, now, until=now, detail="batch"),
        queue_timeout_seconds=batch["queue_timeout_seconds"],
        run_timeout_seconds=batch["run_timeout_seconds"],
    )
    return {**run_document(run), "parent_id": parent["_id"], "batch_round": batch["round"]}


class BatchRuns:
    """What batches need of the `runs` collection. Writes to a parent hold only while it waits in the same round."""

    _runs: Collection

    async def batches_due(self, now: datetime, limit: int) -> list[Document]:
        """Return batches that are to be looked at, longest due first."""
        query = {"sweep_at": {"$lte": now}, **WAITS_FOR_CHILDREN}
        with storage_errors():
            return await self._runs.find(query).sort("sweep_at", ASCENDING).hint("to_sweep").limit(limit).to_list(limit)

    async def children_of(self, parent_id: str) -> list[Child]:
        """Return the runs of a batch, of all rounds."""
        proposed = {"$size": {"$filter": {"input": {"$ifNull": ["$effects", []]}, "cond": _IS_PROPOSED}}}
        fields = {"user": 1, "batch_round": 1, "status": 1, "error": 1, "tally": 1, "proposed": proposed}
        stages: list[Document] = [{"$match": {"parent_id": parent_id}}, {"$project": fields}]
        with storage_errors():
            return [_child(each) async for each in self._runs.aggregate(stages, hint=OF_PARENT)]

    async def add_children(self, children: list[Document]) -> list[Document]:
        """Store those of these runs that are not there yet, and return them."""
        known = set(await insert_new(self._runs, children))
        return [child for index, child in enumerate(children) if index not in known]

    async def wake_parents(self, ids: Iterable[str], now: datetime) -> None:
        """Have these batches looked at: one of their runs has ended."""
        with storage_errors():
            await self._runs.update_many(
                {"_id": {"$in": sorted(set(ids))}, **WAITS_FOR_CHILDREN}, {"$set": {"sweep_at": now}}
            )

    async def note_progress(self, parent: Document, progress: Document, now: datetime) -> bool:
        """Write how far a batch is; return false when it does not wait any more. A child that has ended since has it looked at again."""
        done = f"{progress['users_processed']} of {progress['users_total']} users are done"
        has_changed = progress != parent["batch"].get("progress")
        noted = {"batch.progress": progress, "waiting_for.detail": done, "started_at": parent.get("started_at") or now}
        changes = noted | ({"changed_at": now} if has_changed else {})
        with storage_errors():
            matched = (await self._runs.update_one(_still(parent), {"$set": changes})).matched_count
            await self._runs.update_one(
                {**_still(parent), "sweep_at": parent["sweep_at"]}, {"$set": {"sweep_at": now + LOOK_AGAIN_AFTER}}
            )
        return bool(matched)

    async def complete_batch(self, parent: Document, progress: Document, now: datetime) -> bool:
        """End a batch of which every run has ended; return false when it does not wait any more."""
        changes: Document = {
            "status": RunStatus.COMPLETED,
            "batch.progress": progress,
            "started_at": parent.get("started_at") or now,
            "finished_at": now,
            "changed_at": now,
            "waiting_for": None,
            "usage": usage_document(Usage()),
            "output_json": orjson.dumps(progress).decode(),
            "effects": [],
            "sweep_at": now,
        }
        with storage_errors():
            return bool((await self._runs.update_one(_still(parent), {"$set": changes})).matched_count)

    async def resume_batch(self, parent: Document, now: datetime) -> bool:
        """Begin the next round of an ended batch; return false when somebody else was faster."""
        ended = {"_id": parent["_id"], "status": {"$in": _RESUMABLE}, "batch.round": parent["batch"]["round"]}
        changes = {
            "status": RunStatus.QUEUED,
            "waiting_for": waiting_document(Waiting.CHILDREN, now, detail="it is resumed"),
            "batch.round": parent["batch"]["round"] + 1,
            "changed_at": now,
            "cancel": None,
            "error": None,
            "sweep_at": now,
        }
        gone = {"finished_at": "", "output_json": ""}
        with storage_errors():
            return bool((await self._runs.update_one(ended, {"$set": changes, "$unset": gone})).matched_count)


_AS_THE_PARENT = (
    "event_key", "event_id", "event_type", "organisation", "project", "agent_key", "agent_version", "agent_version_id",
)  # fmt: skip
_IS_PROPOSED: Document = {"$eq": [{"$ifNull": ["$$this.dropped", None]}, None]}


def _still(parent: Document) -> Document:
    return {"_id": parent["_id"], **WAITS_FOR_CHILDREN, "batch.round": parent["batch"]["round"]}


def _child(run: dict[str, Any]) -> Child:
    status = RunStatus(run["status"])
    return Child(run["user"], run["batch_round"], status, run.get("error"), run.get("tally"), run["proposed"])
