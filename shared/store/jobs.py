"""Jobs as they are stored: watched by a due moment while they run, and open until their end has been followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from shared.domain.job import RUNNING, FollowUpStatus, due_at, job_key
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors

INDEXES = [
    IndexModel([("organisation", ASCENDING), ("user", ASCENDING), ("changed_at", DESCENDING)], name="by_user"),
    IndexModel([("organisation", ASCENDING), ("changed_at", DESCENDING)], name="by_organisation"),
    # Only jobs that run and may be found to have ended are in it.
    IndexModel([("due_at", ASCENDING)], name="due", sparse=True),
    # Only jobs that have ended and whose end is not followed yet are in it.
    IndexModel([("unfollowed_since", ASCENDING)], name="unfollowed", sparse=True),
    IndexModel([("finished_event", ASCENDING)], name="by_end", sparse=True),
    IndexModel([("finished_at", ASCENDING)], name="by_age", sparse=True),
]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job as it starts, or as it is known when its end comes first."""

    organisation: str
    project: str | None
    user: str
    job_id: str
    session_id: str
    kind: str
    command: str
    started_at: datetime
    deadline_at: datetime | None = None
    heartbeat_seconds: int | None = None
    agent_key: str | None = None

    @property
    def key(self) -> str:
        return job_key(self.organisation, self.job_id)


@dataclass(frozen=True, slots=True)
class Finish:
    """How a job ended, as the event with this key tells it."""

    event_key: str
    status: str
    exit_code: int | None
    output: str
    at: datetime

    def facts(self) -> Document:
        return {"status": self.status, "exit_code": self.exit_code, "output": self.output}


class JobStore:
    """The `jobs` collection. Everything may be repeated."""

    def __init__(self, database: Database) -> None:
        self._jobs: Collection = database["jobs"]

    async def start(self, jobs: Sequence[NewJob], now: datetime) -> None:
        """Add the jobs that are not there yet."""
        await insert_new(self._jobs, [_document(job, now) for job in jobs])

    async def finish(self, job: NewJob, finish: Finish, now: datetime) -> bool:
        """End a job, which need not be known yet; return whether this is the end that counts.

        An end that comes after another is kept beside it as `late_end`, the first of them. A job of another user is left
        alone.
        """
        await self.start([job], now)
        mine = {"_id": job.key, "user": job.user}
        ended = {**finish.facts(), "finished_at": finish.at, "finished_event": finish.event_key}
        late = {**finish.facts(), "at": finish.at, "event_key": finish.event_key}
        opened = {"follow_up": _follow_up(FollowUpStatus.PENDING), "unfollowed_since": now, "changed_at": now}
        with storage_errors():
            await self._jobs.update_one(
                {**mine, "status": RUNNING}, {"$set": {**ended, **opened}, "$unset": {"due_at": ""}}
            )
            await self._jobs.update_one(
                {**mine, "finished_event": {"$nin": [None, finish.event_key]}, "late_end": None},
                {"$set": {"late_end": late, "changed_at": now}},
            )
            counts = {**mine, "finished_event": finish.event_key}
            return await self._jobs.count_documents(counts, limit=1) == 1

    async def heartbeat(self, key: str, now: datetime) -> Document | None:
        """Note that a job lives; return it, or None when it has ended, or is about to be told to have."""
        with storage_errors():
            seen = await self._jobs.find_one({"_id": key, "status": RUNNING, "found_ended": None})
            if seen is None:
                return None
            due = due_at(seen["deadline_at"], now, seen["heartbeat_seconds"])
            changes = {"heartbeat_at": now, "changed_at": now, **({} if due is None else {"due_at": due})}
            found: Document | None = await self._jobs.find_one_and_update(
                {"_id": key, "status": RUNNING, "found_ended": None},
                {"$set": changes},
                return_document=ReturnDocument.AFTER,
            )
            return found

    async def due(self, now: datetime, limit: int) -> list[Document]:
        """Return running jobs whose moment has come, longest due first."""
        with storage_errors():
            return (
                await self._jobs.find({"due_at": {"$lte": now}}).sort("due_at", ASCENDING).limit(limit).to_list(limit)
            )

    async def find_ended(self, job: Document, status: str, at: datetime, look_again_at: datetime) -> Document | None:
        """Note that a job, as it was seen, is found to have ended; return it with what was noted first, None if it lives."""
        as_seen = {"_id": job["_id"], "status": RUNNING, "heartbeat_at": job["heartbeat_at"]}
        found = {"$ifNull": ["$found_ended", {"status": status, "at": at}]}
        with storage_errors():
            noted: Document | None = await self._jobs.find_one_and_update(
                as_seen,
                [{"$set": {"found_ended": found, "due_at": look_again_at}}],
                return_document=ReturnDocument.AFTER,
            )
        return noted

    async def followed_by(self, event_key: str, run_id: str) -> None:
        """Note which run follows an end, as the gate decided it."""
        with storage_errors():
            await self._jobs.update_one({"finished_event": event_key}, {"$set": {"follow_up.run_id": run_id}})

    async def followed(
        self, event_key: str, run_id: str | None, status: FollowUpStatus, code: str | None, at: datetime
    ) -> None:
        """Note what became of the follow-up of an end, told by the run that is it; what is done stays done."""
        done = {
            "follow_up": _follow_up(status, run_id, code),
            "followed_up_at": at,
            "changed_at": at,
        }
        query = {
            "finished_event": event_key,
            "follow_up.run_id": run_id,
            "follow_up.status": {"$nin": [FollowUpStatus.DONE, status]},
        }
        with storage_errors():
            await self._jobs.update_one(query, {"$set": done, "$unset": {"unfollowed_since": ""}})

    async def delete_old(self, before: datetime, limit: int) -> int:
        """Delete jobs that ended before this moment and whose end was followed, up to a limit; return how many."""
        old = {"finished_at": {"$lt": before}, "unfollowed_since": None}
        with storage_errors():
            found = await self._jobs.find(old, {"_id": 1}).sort("finished_at", ASCENDING).limit(limit).to_list(limit)
            ids = [each["_id"] for each in found]
            return (await self._jobs.delete_many({"_id": {"$in": ids}})).deleted_count if ids else 0

    async def get(self, key: str) -> Document | None:
        """Return a job."""
        with storage_errors():
            found: Document | None = await self._jobs.find_one({"_id": key})
        return found

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return jobs that match, the latest change first, without their outputs."""
        with storage_errors():
            found = self._jobs.find(query, {"output": 0}).sort([("changed_at", DESCENDING), ("_id", DESCENDING)])
            return await found.limit(limit).to_list(limit)


def _document(job: NewJob, now: datetime) -> Document:
    due = due_at(job.deadline_at, now, job.heartbeat_seconds)
    document: dict[str, Any] = {
        "_id": job.key,
        "job_id": job.job_id,
        "organisation": job.organisation,
        "project": job.project,
        "user": job.user,
        "session_id": job.session_id,
        "kind": job.kind,
        "command": job.command,
        "agent_key": job.agent_key,
        "status": RUNNING,
        "started_at": job.started_at,
        "changed_at": now,
        "deadline_at": job.deadline_at,
        "heartbeat_seconds": job.heartbeat_seconds,
        "heartbeat_at": now,
    }
    return document if due is None else {**document, "due_at": due}


def _follow_up(status: FollowUpStatus, run_id: str | None = None, code: str | None = None) -> Document:
    return {"status": status, "run_id": run_id, "code": code}
