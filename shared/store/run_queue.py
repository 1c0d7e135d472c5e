"""Queued runs: which of them are due, wait, are let go, or have waited too long."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, UpdateOne

from shared.domain.run import RunError, RunStatus, Waiting
from shared.domain.session import KEYS as SESSION_KEYS
from shared.store.mongo import Collection, Document, storage_errors
from shared.store.run_documents import (
    DISPATCH_AGAIN_AFTER,
    LOOK_AT_HOLDING_WITHIN,
    LOOK_AT_WAITING_AFTER,
    Admitted,
    Wait,
    error_document,
)
from shared.store.upcast import upcast_run

TO_RELEASE = (
    "organisation",
    "project",
    "user",
    "agent_key",
    "target",
    "lane",
    "attempt",
    "own_limits",
    "waiting_for",
)
_WAITING_TO_DISPATCHED = {"waiting_for": None, "status": RunStatus.QUEUED}


class RunQueue:
    """What the queue needs of the `runs` collection."""

    _runs: Collection

    async def due_for_sweep(self, now: datetime, limit: int) -> list[Document]:
        """Return runs that something may have to be done about, longest due first; batches under way are looked at apart."""
        with storage_errors():
            due = {"sweep_at": {"$lte": now}, "waiting_for.what": {"$ne": Waiting.CHILDREN}}
            cursor = self._runs.find(due).sort("sweep_at", ASCENDING).limit(limit)
            return [upcast_run(run) async for run in cursor]

    async def sweep_dispatched_at(self, moment: datetime) -> None:
        """Have every run that is queued and not waiting looked at from this moment."""
        with storage_errors():
            await self._runs.update_many(
                {"sweep_at": {"$gt": moment}, **_WAITING_TO_DISPATCHED}, {"$set": {"sweep_at": moment}}
            )

    async def sweep_again_at(self, moments: Iterable[tuple[str, datetime]]) -> None:
        """Set when each run that is still due for the sweep is to be looked at next."""
        writes = [
            UpdateOne({"_id": run_id, "sweep_at": {"$exists": True}}, {"$set": {"sweep_at": moment}})
            for run_id, moment in moments
        ]
        if writes:
            with storage_errors():
                await self._runs.bulk_write(writes, ordered=False)

    async def waiting_under(self, key: str, limit: int, *, least_urgent_first: bool = False) -> list[Document]:
        """Return what a release needs of runs that wait under this key, the most urgent and then the oldest first.

        With `least_urgent_first`, those of the least urgent lane among them, the oldest first.
        """
        query: Document = {"waiting_for.key": key}
        with storage_errors():
            if least_urgent_first:
                last = await self._runs.find_one(query, {"rank": 1}, sort=[("rank", DESCENDING)])
                query |= {} if last is None else {"rank": last["rank"]}
            cursor = self._runs.find({**query, "status": RunStatus.QUEUED}, TO_RELEASE)
            return await cursor.sort([("rank", ASCENDING), ("queued_at", ASCENDING)]).limit(limit).to_list(limit)

    async def waiting_for_sessions(self, limit: int) -> list[Document]:
        """Return what a release needs of runs that wait for a turn of a session to end."""
        query = {"waiting_for.key": SESSION_KEYS, "status": RunStatus.QUEUED}
        with storage_errors():
            return await self._runs.find(query, TO_RELEASE).hint("waiting").limit(limit).to_list(limit)

    async def waiting_ahead(self, run: Document, limit: int) -> int:
        """Return how many runs wait under the same key in front of this one, counting no further than `limit`."""
        before = [{"rank": {"$lt": run["rank"]}}, {"rank": run["rank"], "queued_at": {"$lt": run["queued_at"]}}]
        query = {"waiting_for.key": run["waiting_for"]["key"], "$or": before}
        with storage_errors():
            return await self._runs.count_documents(query, limit=limit)

    async def keys_waited_under(self) -> list[str]:
        """Return every key under which a run waits."""
        with storage_errors():
            keys: list[str] = await self._runs.distinct("waiting_for.key", {"waiting_for.key": {"$exists": True}})
        return keys

    async def holding(self, now: datetime, limit: int) -> list[Document]:
        """Return the open runs that are dispatched or running, with what they hold, up to a limit.

        They are looked at soon, and most of those that wait for a place much later: these need not be read.
        """
        fields = {"slots": 1}
        open_ = {"sweep_at": {"$lt": now + LOOK_AT_HOLDING_WITHIN}}
        running = {**open_, "status": RunStatus.RUNNING}
        with storage_errors():
            cursor = self._runs.find({"$or": [running, {**open_, **_WAITING_TO_DISPATCHED}]}, fields)
            return await cursor.hint("to_sweep").limit(limit).to_list(limit)

    async def admit(self, admitted: Sequence[Admitted], now: datetime) -> None:
        """Let waiting runs be claimed, and note the slots that each has its place in."""
        groups: dict[tuple[int, tuple[str, ...], bool], list[str]] = defaultdict(list)
        for each in admitted:
            groups[each.attempt, each.slots, each.is_express].append(each.run_id)
        await self._update_waiting(
            (
                (ids, attempt),
                {
                    "$set": {
                        "waiting_for": None,
                        "slots": list(slots),
                        "express": is_express,
                        "sweep_at": now + DISPATCH_AGAIN_AFTER,
                    }
                },
            )
            for (attempt, slots, is_express), ids in groups.items()
        )

    async def wait(self, waits: Sequence[Wait], now: datetime) -> None:
        """Have queued runs wait for something else than they waited for."""
        groups: dict[tuple[int, tuple[str, ...], str], tuple[Document, list[str]]] = {}
        for each in waits:
            group = groups.setdefault((each.attempt, each.slots, each.waiting_for["key"]), (each.waiting_for, []))
            group[1].append(each.run_id)
        later = now + LOOK_AT_WAITING_AFTER
        ends_at = {"$add": ["$started_at", {"$multiply": ["$run_timeout_seconds", 1_000]}]}
        await self._update_waiting(
            (
                (ids, attempt),
                [
                    {
                        "$set": {
                            # What it has waited for so far counts on, when it is the same.
                            "waiting_for": {
                                "$cond": [{"$eq": ["$waiting_for.key", key]}, "$waiting_for", {"$literal": waiting_for}]
                            },
                            "slots": list(slots),
                            "sweep_at": {
                                "$min": [{"$ifNull": [ends_at if attempt else "$queue_expires_at", later]}, later]
                            },
                        }
                    }
                ],
            )
            for (attempt, slots, key), (waiting_for, ids) in groups.items()
        )

    async def _update_waiting(self, updates: Iterable[tuple[tuple[list[str], int], Document | list[Document]]]) -> None:
        with storage_errors():
            for (ids, attempt), update in updates:
                waiting = {"_id": {"$in": ids}, "status": RunStatus.QUEUED, "attempt": attempt}
                await self._runs.update_many({**waiting, "waiting_for": {"$ne": None}}, update)

    async def fail_queued(self, failures: Iterable[tuple[str, RunError]], now: datetime) -> None:
        """Fail runs that are queued; what follows from their end is done by the sweep."""
        writes = [
            UpdateOne(
                {"_id": run_id, "status": RunStatus.QUEUED, "cancel": None},
                {
                    "$set": {
                        "status": RunStatus.FAILED,
                        "changed_at": now,
                        "finished_at": now,
                        "error": error_document(error),
                        "waiting_for": None,
                        "sweep_at": now,
                    }
                },
            )
            for run_id, error in failures
        ]
        if writes:
            with storage_errors():
                await self._runs.bulk_write(writes, ordered=False)
