"""Queued runs kept in memory."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.domain.deadline import run_deadline
from shared.domain.run import RunError, RunStatus
from shared.domain.session import KEYS as SESSION_KEYS
from shared.store.run_documents import (
    DISPATCH_AGAIN_AFTER,
    LOOK_AT_HOLDING_WITHIN,
    LOOK_AT_WAITING_AFTER,
    Admitted,
    Wait,
    error_document,
)
from shared.store.run_queue import TO_RELEASE, RunQueue
from shared.testing.documents import Document, Documents


class KeptRunQueue(RunQueue):
    """Does what the real store does, each call at once."""

    kept: Documents

    async def due_for_sweep(self, now: datetime, limit: int) -> list[Document]:
        """Return runs that something may have to be done about, longest due first."""
        return sorted(self.kept.find({"sweep_at": {"$lte": now}}), key=lambda run: run["sweep_at"])[:limit]

    async def sweep_dispatched_at(self, moment: datetime) -> None:
        """Have every run that is queued and not waiting looked at from this moment."""
        query = {"sweep_at": {"$gt": moment}, "status": RunStatus.QUEUED, "waiting_for": None}
        for run in self.kept.find(query):
            self.kept.change(run, sweep_at=moment)

    async def sweep_again_at(self, moments: Iterable[tuple[str, datetime]]) -> None:
        """Set when each run that is still due for the sweep is to be looked at next."""
        for run_id, moment in moments:
            for run in self.kept.find({"_id": run_id, "sweep_at": {"$exists": True}}):
                self.kept.change(run, sweep_at=moment)

    async def waiting_under(self, key: str, limit: int, *, least_urgent_first: bool = False) -> list[Document]:
        """Return what a release needs of runs that wait under this key, the most urgent and then the oldest first."""
        found = list(self.kept.find({"waiting_for.key": key, "status": RunStatus.QUEUED}))
        if least_urgent_first:
            last = max((run["rank"] for run in found), default=None)
            found = [run for run in found if run["rank"] == last]
        return [_to_release(run) for run in sorted(found, key=_urgency)[:limit]]

    async def waiting_for_sessions(self, limit: int) -> list[Document]:
        """Return what a release needs of runs that wait for a turn of a session to end."""
        found = sorted(self.kept.find({"waiting_for.key": SESSION_KEYS, "status": RunStatus.QUEUED}), key=_urgency)
        return [_to_release(run) for run in found[:limit]]

    async def waiting_ahead(self, run: Document, limit: int) -> int:
        """Return how many runs wait under the same key in front of this one, counting no further than `limit`."""
        waiting = self.kept.find({"waiting_for.key": run["waiting_for"]["key"]})
        return min(limit, sum(_urgency(each) < _urgency(run) for each in waiting))

    async def keys_waited_under(self) -> list[str]:
        """Return every key under which a run waits."""
        waiting = self.kept.find({"waiting_for.key": {"$exists": True}})
        return sorted({run["waiting_for"]["key"] for run in waiting})

    async def holding(self, now: datetime, limit: int) -> list[Document]:
        """Return the open runs that are dispatched or running, with what they hold, up to a limit."""
        dispatched = {"status": RunStatus.QUEUED, "waiting_for": None}
        query = {"sweep_at": {"$lt": now + LOOK_AT_HOLDING_WITHIN}, "$or": [{"status": RunStatus.RUNNING}, dispatched]}
        return [{"_id": run["_id"], "slots": run["slots"]} for run in self.kept.find(query)][:limit]

    async def admit(self, admitted: Sequence[Admitted], now: datetime) -> None:
        """Let waiting runs be claimed, and note the slots that each has its place in."""
        for each in admitted:
            changes = {"slots": each.slots, "express": each.is_express, "sweep_at": now + DISPATCH_AGAIN_AFTER}
            for run in self._still_waiting(each.run_id, each.attempt):
                self.kept.change(run, waiting_for=None, **changes)

    async def wait(self, waits: Sequence[Wait], now: datetime) -> None:
        """Have queued runs wait for something else than they waited for."""
        later = now + LOOK_AT_WAITING_AFTER
        for each in waits:
            for run in self._still_waiting(each.run_id, each.attempt):
                is_same = run["waiting_for"].get("key") == each.waiting_for["key"]
                waiting = run["waiting_for"] if is_same else each.waiting_for
                ends_at = run_deadline(run) if each.attempt else run["queue_expires_at"]
                look_at = later if ends_at is None else min(ends_at, later)
                self.kept.change(run, waiting_for=waiting, slots=each.slots, sweep_at=look_at)

    async def fail_queued(self, failures: Iterable[tuple[str, RunError]], now: datetime) -> None:
        """Fail runs that are queued; what follows from their end is done by the sweep."""
        ended: dict[str, Any] = {"changed_at": now, "finished_at": now, "sweep_at": now, "waiting_for": None}
        for run_id, error in failures:
            for run in self.kept.find({"_id": run_id, "status": RunStatus.QUEUED, "cancel": None}):
                self.kept.change(run, status=RunStatus.FAILED, error=error_document(error), **ended)

    def _still_waiting(self, run_id: str, attempt: int) -> list[Document]:
        query = {"_id": run_id, "status": RunStatus.QUEUED, "attempt": attempt, "waiting_for": {"$ne": None}}
        return list(self.kept.find(query))


def _to_release(run: Document) -> Document:
    return {name: value for name, value in run.items() if name in {"_id", *TO_RELEASE}}


def _urgency(run: Document) -> tuple[int, datetime]:
    return run["rank"], run["queued_at"]
