"""Runs. Every write to a running one is fenced by attempt and owner; a lost race is a return value."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument, UpdateOne

from contracts.lanes import Lane
from shared.domain.decision import Target
from shared.domain.run import Claim, RunError, RunStatus, Usage, Waiting, may_become
from shared.store.merging import in_commands, merge_by_id
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors

INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("user", ASCENDING), ("status", ASCENDING), ("changed_at", DESCENDING)],
        name="by_user",
    ),
    IndexModel(
        [("organisation", ASCENDING), ("status", ASCENDING), ("changed_at", DESCENDING)], name="by_organisation"
    ),
    # A document is in it while the sweep may have to do something about it: dispatch, release, take over, project, tell.
    IndexModel([("sweep_at", ASCENDING)], name="to_sweep", sparse=True),
]

SCHEMA_VERSION = 1
DISPATCH_AGAIN_AFTER = timedelta(seconds=3)
SETTLE_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run as the gate starts it."""

    id: str
    event_key: str
    event_id: str
    event_type: str
    organisation: str
    project: str | None
    user: str | None
    agent_key: str
    agent_version: int
    target: Target
    lane: Lane
    queued_at: datetime


def run_document(run: NewRun) -> Document:
    """Return the run as it is stored when it is queued for the first time."""
    return {
        "_id": run.id,
        "schema": SCHEMA_VERSION,
        "event_key": run.event_key,
        "event_id": run.event_id,
        "event_type": run.event_type,
        "organisation": run.organisation,
        "project": run.project,
        "user": run.user,
        "agent_key": run.agent_key,
        "agent_version": run.agent_version,
        "target": {"type": run.target.type, "id": run.target.id},
        "lane": run.lane,
        "status": RunStatus.QUEUED,
        "attempt": 0,
        "failures": 0,
        "queued_at": run.queued_at,
        "changed_at": run.queued_at,
        "waiting_for": None,
        "sweep_at": run.queued_at + DISPATCH_AGAIN_AFTER,
    }


@dataclass(frozen=True, slots=True)
class Commit:
    """The fenced end of a run: its terminal status and everything that came of it."""

    claim: Claim
    status: RunStatus
    finished_at: datetime
    usage: Usage
    output_json: str | None = None
    effects: tuple[Document, ...] = ()
    error: RunError | None = None

    def changes(self) -> Document:
        """Return what the end makes of the run."""
        return {
            "status": self.status,
            "finished_at": self.finished_at,
            "changed_at": self.finished_at,
            "usage": usage_document(self.usage),
            "output_json": self.output_json,
            "effects": list(self.effects),
            "error": error_document(self.error),
            # Until the effects are projected and the end is told; then it is removed.
            "sweep_at": self.finished_at + SETTLE_AFTER,
        }


@dataclass(frozen=True, slots=True)
class Return:
    """A fenced return to the queue, with the time from which the run may be dispatched again."""

    claim: Claim
    changed_at: datetime
    usage: Usage
    error: RunError | None = None
    waiting_for: Waiting | None = None
    due_at: datetime | None = None

    def write(self) -> UpdateOne:
        due = self.due_at or self.changed_at + DISPATCH_AGAIN_AFTER
        waiting = None if self.waiting_for is None else {"what": self.waiting_for, "until": due}
        changes = {
            "status": RunStatus.QUEUED,
            "changed_at": self.changed_at,
            "usage": usage_document(self.usage),
            "error": error_document(self.error),
            "waiting_for": waiting,
            "sweep_at": due,
        }
        return UpdateOne(
            {"_id": self.claim.run_id, **_fence(self.claim.attempt, self.claim.owner, RunStatus.QUEUED)},
            {
                "$set": changes,
                "$inc": {"failures": 0 if self.error is None else 1},
                "$unset": {"lease_expires_at": "", "claim": "", "owner": ""},
            },
        )


def usage_document(usage: Usage) -> Document:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "model_calls": usage.model_calls,
    }


def usage_of(run: Document) -> Usage:
    """Return what the run had used when it was last written."""
    usage = run.get("usage")
    return Usage() if usage is None else Usage(**usage)


def error_document(error: RunError | None) -> Document | None:
    return None if error is None else {"code": error.code, "detail": error.detail}


def _fence(attempt: int, owner: str, becomes: RunStatus) -> Document:
    return {
        "attempt": attempt,
        "owner": owner,
        "status": {"$in": [status for status in may_become(becomes) if status is RunStatus.RUNNING]},
    }


class RunStore:
    """The `runs` collection."""

    def __init__(self, database: Database) -> None:
        self._runs: Collection = database["runs"]

    async def add(self, runs: Sequence[NewRun]) -> set[str]:
        """Queue the runs that do not exist yet; return the ids of those that did."""
        existing = await insert_new(self._runs, [run_document(run) for run in runs])
        return {runs[index].id for index in existing}

    async def claim(self, ids: Sequence[str], owner: str, lease_seconds: float) -> list[Document]:
        """Take the runs that are free, each as its next attempt, and return them as they are now.

        Free means queued and not waiting, or running with a lease that ran out by the database's clock.
        """
        token = uuid4().hex
        lease = {"$add": ["$$NOW", int(lease_seconds * 1_000)]}
        free = {
            "$or": [
                {"status": RunStatus.QUEUED, "waiting_for": None},
                {"status": RunStatus.RUNNING, "$expr": {"$lt": ["$lease_expires_at", "$$NOW"]}},
            ]
        }
        changes = {
            "status": RunStatus.RUNNING,
            "attempt": {"$add": ["$attempt", 1]},
            "owner": owner,
            "claim": token,
            "started_at": {"$ifNull": ["$started_at", "$$NOW"]},
            "changed_at": "$$NOW",
            "lease_expires_at": lease,
            "sweep_at": lease,
        }
        with storage_errors():
            if len(ids) == 1:
                # Two trips to the server would be a third slower, which counts when there is little to do.
                run = await self._runs.find_one_and_update(
                    {"_id": ids[0], **free}, [{"$set": changes}], return_document=ReturnDocument.AFTER
                )
                return [] if run is None else [run]
            await self._runs.update_many({"_id": {"$in": list(ids)}, **free}, [{"$set": changes}])
            return await self._runs.find({"_id": {"$in": list(ids)}, "claim": token}).to_list(None)

    async def extend_leases(self, claims: Sequence[Claim], owner: str, lease_seconds: float) -> list[Claim]:
        """Extend the leases that still stand, and return the claims that were lost."""
        if not claims:
            return []
        attempts: dict[int, list[str]] = defaultdict(list)
        for claim in claims:
            attempts[claim.attempt].append(claim.run_id)
        held_as = [{"_id": {"$in": ids}, "attempt": attempt} for attempt, ids in attempts.items()]
        mine = {"$or": held_as, "owner": owner, "status": RunStatus.RUNNING}
        lease = {"$add": ["$$NOW", int(lease_seconds * 1_000)]}
        with storage_errors():
            result = await self._runs.update_many(mine, [{"$set": {"lease_expires_at": lease, "sweep_at": lease}}])
            if result.matched_count == len(claims):
                return []
            held = {(document["_id"], document["attempt"]) async for document in self._runs.find(mine, {"attempt": 1})}
        return [claim for claim in claims if (claim.run_id, claim.attempt) not in held]

    async def end_leases(self, owner: str) -> int:
        """End the leases of a runner that is gone, as if their time were over; return how many there were."""
        held = {"sweep_at": {"$exists": True}, "owner": owner, "status": RunStatus.RUNNING}
        over = {"$subtract": ["$$NOW", 1]}
        ended = [{"$set": {"lease_expires_at": over, "sweep_at": over}}]
        with storage_errors():
            # The index of what is under way: there is none by owner, since this happens rarely.
            return (await self._runs.update_many(held, ended, hint="to_sweep")).matched_count

    async def write_fenced(self, writes: Sequence[Commit | Return]) -> list[bool]:
        """Do each write whose claim still stands; return which did. Repeating one that was done is done as well."""
        with storage_errors():
            matched = await self._commit([write for write in writes if isinstance(write, Commit)])
            matched += await self._return([write for write in writes if isinstance(write, Return)])
            if matched == len(writes):
                return [True] * len(writes)
            cursor = self._runs.find(
                {"_id": {"$in": [write.claim.run_id for write in writes]}},
                {"attempt": 1, "owner": 1, "status": 1, "changed_at": 1},
            )
            now = {document["_id"]: document async for document in cursor}
        return [_was_done(write, now.get(write.claim.run_id)) for write in writes]

    async def _commit(self, commits: Iterable[Commit]) -> int:
        fenced: dict[tuple[int, str, RunStatus], dict[str, Document]] = defaultdict(dict)
        for commit in commits:
            fenced[commit.claim.attempt, commit.claim.owner, commit.status][commit.claim.run_id] = commit.changes()
        matched = 0
        for fence, changes in fenced.items():
            for part in in_commands(changes):
                query = {"_id": {"$in": list(part)}, **_fence(*fence)}
                write = [merge_by_id(part), {"$unset": ["lease_expires_at", "claim"]}]
                matched += (await self._runs.update_many(query, write)).matched_count
        return matched

    async def _return(self, returns: Iterable[Return]) -> int:
        writes = [each.write() for each in returns]
        return (await self._runs.bulk_write(writes, ordered=False)).matched_count if writes else 0

    async def settle(self, ids: Iterable[str]) -> None:
        """Note that everything that follows from these finished runs was done."""
        finished = {"$in": [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED]}
        with storage_errors():
            await self._runs.update_many({"_id": {"$in": list(ids)}, "status": finished}, {"$unset": {"sweep_at": ""}})

    async def load(self, ids: Iterable[str]) -> dict[str, Document]:
        """Return the runs as they are stored."""
        with storage_errors():
            cursor = self._runs.find({"_id": {"$in": list(ids)}})
            return {document["_id"]: document async for document in cursor}

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return runs that match, the latest change first; without the bulky fields of the detail view."""
        bulky = {"output_json": 0, "effects": 0}
        with storage_errors():
            cursor = self._runs.find(query, bulky).sort([("changed_at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
            return await cursor.to_list(limit)

    async def count(self, query: Document, limit: int) -> int:
        """Return how many runs match, counting no further than `limit`."""
        with storage_errors():
            return await self._runs.count_documents(query, limit=limit)

    async def due_for_sweep(self, now: datetime, limit: int) -> list[Document]:
        """Return runs that something may have to be done about, longest due first."""
        with storage_errors():
            cursor = self._runs.find({"sweep_at": {"$lte": now}}).sort("sweep_at", ASCENDING).limit(limit)
            return await cursor.to_list(limit)

    async def sweep_dispatched_at(self, moment: datetime) -> None:
        """Have every run that is queued and not waiting looked at from this moment."""
        dispatched = {"sweep_at": {"$gt": moment}, "status": RunStatus.QUEUED, "waiting_for": None}
        with storage_errors():
            await self._runs.update_many(dispatched, {"$set": {"sweep_at": moment}})

    async def sweep_again_at(self, moments: Iterable[tuple[str, datetime]]) -> None:
        """Set when each run that is still due for the sweep is to be looked at next."""
        writes = [
            UpdateOne({"_id": run_id, "sweep_at": {"$exists": True}}, {"$set": {"sweep_at": moment}})
            for run_id, moment in moments
        ]
        if writes:
            with storage_errors():
                await self._runs.bulk_write(writes, ordered=False)

    async def release(self, waits: Iterable[tuple[str, datetime]]) -> None:
        """Let queued runs be claimed, and set when each is to be dispatched again should this dispatch be lost."""
        writes = [
            UpdateOne(
                {"_id": run_id, "status": RunStatus.QUEUED}, {"$set": {"waiting_for": None, "sweep_at": sweep_at}}
            )
            for run_id, sweep_at in waits
        ]
        if writes:
            with storage_errors():
                await self._runs.bulk_write(writes, ordered=False)

    async def requeue_lost(self, run: Document, now: datetime, error: RunError) -> bool:
        """Return a run whose lease ran out to the queue; false when its runner came back or another was faster."""
        return await self._end_lost(
            run,
            {
                "status": RunStatus.QUEUED,
                "changed_at": now,
                "error": error_document(error),
                "waiting_for": None,
                "sweep_at": now + DISPATCH_AGAIN_AFTER,
            },
        )

    async def fail_lost(self, run: Document, now: datetime, error: RunError) -> bool:
        """Fail a run whose lease ran out too often; false when its runner came back or another was faster."""
        return await self._end_lost(
            run,
            {
                "status": RunStatus.FAILED,
                "changed_at": now,
                "finished_at": now,
                "error": error_document(error),
                "sweep_at": now,
            },
        )

    async def _end_lost(self, run: Document, changes: dict[str, Any]) -> bool:
        lost = {
            "_id": run["_id"],
            "attempt": run["attempt"],
            "status": RunStatus.RUNNING,
            "$expr": {"$lt": ["$lease_expires_at", "$$NOW"]},
        }
        with storage_errors():
            result = await self._runs.update_one(
                lost,
                {
                    "$set": changes,
                    "$inc": {"failures": 1},
                    "$unset": {"lease_expires_at": "", "claim": "", "owner": ""},
                },
            )
        return result.matched_count == 1


def _was_done(write: Commit | Return, now: Document | None) -> bool:
    if now is None or now["attempt"] != write.claim.attempt:
        return False
    match write:
        case Commit():
            return bool(now.get("owner") == write.claim.owner and now["status"] == write.status)
        case Return():
            return bool(now["status"] == RunStatus.QUEUED and now["changed_at"] == write.changed_at)
