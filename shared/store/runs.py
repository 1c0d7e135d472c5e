"""Runs. Every write to a running one is fenced by attempt and owner; a lost race is a return value."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from shared.domain.run import Claim, RunStatus
from shared.store.batches import INDEXES as BATCH_INDEXES
from shared.store.batches import BatchRuns
from shared.store.gathering import INDEXES as GATHERING_INDEXES
from shared.store.gathering import GatheringRuns
from shared.store.merging import in_commands, merge_by_id
from shared.store.mongo import Database, Document, insert_new, storage_errors
from shared.store.open_runs import OpenRuns
from shared.store.run_documents import Commit, NewRun, Return, fence, run_document
from shared.store.run_ends import RunEnds
from shared.store.run_queue import RunQueue
from shared.store.upcast import RUN_SCHEMA, upcast_run

BY_ORGANISATION = "by_organisation"
INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("user", ASCENDING), ("status", ASCENDING), ("changed_at", DESCENDING)],
        name="by_user",
    ),
    IndexModel([("organisation", ASCENDING), ("status", ASCENDING), ("changed_at", DESCENDING)], name=BY_ORGANISATION),
    # A document is in it while the sweep may have to do something about it: dispatch, release, take over, project, tell.
    IndexModel([("sweep_at", ASCENDING)], name="to_sweep", sparse=True),
    # A document is in it while it waits for a place: by what it waits for, the most urgent first.
    IndexModel(
        [("waiting_for.key", ASCENDING), ("rank", ASCENDING), ("queued_at", ASCENDING)],
        name="waiting",
        partialFilterExpression={"waiting_for.key": {"$exists": True}},
    ),
    *GATHERING_INDEXES,
    *BATCH_INDEXES,
]
AS_QUEUED: Document = {"status": RunStatus.QUEUED, "waiting_for": None, "attempt": 0, "cancel": None}
"""What holds of a run that was queued for the first time, with nothing to wait for, and may be claimed still."""
NOT_LISTED = dict.fromkeys(
    (
        *("output_json", "effects", "batch.users", "gathering"),
        *("slots", "own_limits", "express", "rank", "queue_expires_at", "run_timeout_seconds", "agent_version_id"),
    ),
    0,
)


class RunStore(RunQueue, RunEnds, OpenRuns, GatheringRuns, BatchRuns):
    """The `runs` collection."""

    def __init__(self, database: Database) -> None:
        self._runs = database["runs"]

    async def add(self, runs: Sequence[NewRun]) -> set[str]:
        """Queue the runs that do not exist yet; return the ids of those that did."""
        existing = await insert_new(self._runs, [run_document(run) for run in runs])
        return {runs[index].id for index in existing}

    async def claim(self, ids: Sequence[str], owner: str, lease_seconds: float) -> list[Document]:
        """Take the runs that are free, each as its next attempt, and return them as they are now.

        Free means queued and not waiting, or running with a lease that ran out by the database's clock; and of no
        newer make than this process knows.
        """
        if not ids:
            return []
        token = uuid4().hex
        lease = _lease(lease_seconds)
        free = {
            "schema": {"$lte": RUN_SCHEMA},
            "$or": [
                {"status": RunStatus.QUEUED, "waiting_for": None},
                {"status": RunStatus.RUNNING, "$expr": {"$lt": ["$lease_expires_at", "$$NOW"]}},
            ],
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
                return [] if run is None else [upcast_run(run)]
            await self._runs.update_many({"_id": {"$in": list(ids)}, **free}, [{"$set": changes}])
            claimed = self._runs.find({"_id": {"$in": list(ids)}, "claim": token})
            return [upcast_run(run) async for run in claimed]

    async def claim_untouched(
        self, queued: Sequence[Document], owner: str, lease_seconds: float, now: datetime
    ) -> list[Document]:
        """Take runs in which nobody has changed anything since they were queued for the first time, and return them.

        `queued` are the runs as they were queued, without anything to wait for. As they are not read again, this takes one
        command; whoever changes a queued run changes its `sweep_at`, or cancels it. Times are those of `now`, but for the
        stored lease, which runs by the database's clock.
        """
        if not queued:
            return []
        dues: dict[datetime, list[str]] = defaultdict(list)
        for run in queued:
            dues[run["sweep_at"]].append(run["_id"])
        ids = [run["_id"] for run in queued]
        untouched: Document = {
            "_id": {"$in": ids},
            "$or": [{"_id": {"$in": some}, "sweep_at": due} for due, some in dues.items()],
            **AS_QUEUED,
        }
        claim = {"status": RunStatus.RUNNING, "attempt": 1, "owner": owner, "claim": uuid4().hex}
        changes = {**claim, "started_at": now, "changed_at": now}
        lease = _lease(lease_seconds)
        with storage_errors():
            stored = [{"$set": {**changes, "lease_expires_at": lease, "sweep_at": lease}}]
            # The server would otherwise weigh the index of `sweep_at` each time.
            claimed = (await self._runs.update_many(untouched, stored, hint="_id_")).matched_count
            if claimed == len(queued):
                until = now + timedelta(seconds=lease_seconds)
                return [{**run, **changes, "lease_expires_at": until, "sweep_at": until} for run in queued]
            if claimed == 0:
                return []
            mine = self._runs.find({"_id": {"$in": ids}, "claim": claim["claim"]})
            return [upcast_run(run) async for run in mine]

    async def extend_leases(self, claims: Sequence[Claim], owner: str, lease_seconds: float) -> list[Claim]:
        """Extend the leases that still stand, and return the claims that were lost."""
        if not claims:
            return []
        attempts: dict[int, list[str]] = defaultdict(list)
        for claim in claims:
            attempts[claim.attempt].append(claim.run_id)
        held_as = [{"_id": {"$in": ids}, "attempt": attempt} for attempt, ids in attempts.items()]
        mine = {"$or": held_as, "owner": owner, "status": RunStatus.RUNNING}
        lease = _lease(lease_seconds)
        with storage_errors():
            result = await self._runs.update_many(mine, [{"$set": {"lease_expires_at": lease, "sweep_at": lease}}])
            if result.matched_count == len(claims):
                return []
            held = {(document["_id"], document["attempt"]) async for document in self._runs.find(mine, {"attempt": 1})}
        return [claim for claim in claims if (claim.run_id, claim.attempt) not in held]

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
        fenced: dict[tuple[int, str, RunStatus, bool], dict[str, Document]] = defaultdict(dict)
        for commit in commits:
            fenced_by = (commit.claim.attempt, commit.claim.owner, commit.status, commit.only_if_wanted)
            fenced[fenced_by][commit.claim.run_id] = commit.changes()
        matched = 0
        for (attempt, owner, status, only_if_wanted), changes in fenced.items():
            for part in in_commands(changes):
                query = {"_id": {"$in": list(part)}, **fence(attempt, owner, status, only_if_wanted=only_if_wanted)}
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
            return {document["_id"]: upcast_run(document) async for document in cursor}

    async def known(self, ids: Iterable[str]) -> set[str]:
        """Return those of the ids that are stored."""
        with storage_errors():
            return {run["_id"] async for run in self._runs.find({"_id": {"$in": list(ids)}}, {"_id": 1})}

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return runs that match, the latest change first and of one moment by id; without what no list shows."""
        in_order = [("changed_at", DESCENDING), ("_id", DESCENDING)]
        with storage_errors():
            # The indexes have no ids, and by them all that match would be sorted: which are next in time is known at once.
            found = await self._runs.find(query, NOT_LISTED).sort(in_order[:1]).limit(limit + 1).to_list(limit + 1)
            if len(found) > limit and found[-1]["changed_at"] == found[-2]["changed_at"]:
                found = await self._runs.find(query, NOT_LISTED).sort(in_order).limit(limit).to_list(limit)
        latest = sorted(found, key=lambda run: (run["changed_at"], run["_id"]), reverse=True)
        return [upcast_run(run) for run in latest[:limit]]

    async def counts(self, queries: Sequence[Document], limit: int) -> list[int]:
        """Return how many runs match each of the queries, counting none further than `limit`; in one command."""
        first, *others = [_counting(place, query, limit) for place, query in enumerate(queries)]
        unions = [{"$unionWith": {"coll": self._runs.name, "pipeline": stages}} for stages in others]
        with storage_errors():
            found = {each["_id"]: each["count"] async for each in self._runs.aggregate([*first, *unions])}
        return [found.get(place, 0) for place in range(len(queries))]


def _lease(seconds: float) -> Document:
    """Return the end of a lease that begins now, by the database's clock."""
    return {"$add": ["$$NOW", int(seconds * 1_000)]}


def _counting(place: int, query: Document, limit: int) -> list[Document]:
    return [{"$match": query}, {"$limit": limit}, {"$group": {"_id": place, "count": {"$sum": 1}}}]


def _was_done(write: Commit | Return, now: Document | None) -> bool:
    if now is None or now["attempt"] != write.claim.attempt:
        return False
    match write:
        case Commit():
            return bool(now.get("owner") == write.claim.owner and now["status"] == write.status)
        case Return():
            return bool(now["status"] == RunStatus.QUEUED and now["changed_at"] == write.changed_at)
