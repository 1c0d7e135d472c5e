"""Runs kept in memory, for tests of everything that stands on them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from shared.clock import Clock
from shared.domain.run import TERMINAL, Claim, RunStatus
from shared.store.run_documents import (
    DISPATCH_AGAIN_AFTER,
    LOOK_AT_WAITING_AFTER,
    Commit,
    NewRun,
    Return,
    error_document,
    fence,
    run_document,
    usage_document,
)
from shared.store.runs import AS_QUEUED, NOT_LISTED, RunStore
from shared.store.upcast import RUN_SCHEMA
from shared.testing.documents import Document, Documents
from shared.testing.run_ends import KeptRunEnds
from shared.testing.run_queue import KeptRunQueue


class KeptRuns(KeptRunQueue, KeptRunEnds, RunStore):
    """Does what the real store does, each call at once; leases run out by the given clock."""

    def __init__(self, clock: Clock) -> None:
        self.kept = Documents()
        self.clock = clock

    async def add(self, runs: Sequence[NewRun]) -> set[str]:
        """Queue the runs that do not exist yet; return the ids of those that did."""
        existing = set()
        for run in runs:
            if run.id in self.kept:
                existing.add(run.id)
            else:
                self.kept.put(run_document(run))
        return existing

    async def claim(self, ids: Sequence[str], owner: str, lease_seconds: float) -> list[Document]:
        """Take the runs that are free, each as its next attempt, and return them as they are now."""
        now, token = self.clock(), uuid4().hex
        lease = now + timedelta(seconds=lease_seconds)
        return [
            self.kept.change(
                run,
                status=RunStatus.RUNNING,
                attempt=run["attempt"] + 1,
                owner=owner,
                claim=token,
                started_at=run.get("started_at") or now,
                changed_at=now,
                lease_expires_at=lease,
                sweep_at=lease,
            )
            for run in self.kept.find({"_id": {"$in": list(ids)}, "schema": {"$lte": RUN_SCHEMA}})
            if self._is_free(run)
        ]

    async def claim_untouched(
        self, queued: Sequence[Document], owner: str, lease_seconds: float, now: datetime
    ) -> list[Document]:
        """Take runs in which nobody has changed anything since they were queued for the first time, and return them."""
        until = now + timedelta(seconds=lease_seconds)
        claim: Document = {"status": RunStatus.RUNNING, "attempt": 1, "owner": owner, "claim": uuid4().hex}
        changes = {**claim, "started_at": now, "changed_at": now, "lease_expires_at": until, "sweep_at": until}
        won = []
        for run in queued:
            for each in self.kept.find({"_id": run["_id"], "sweep_at": run["sweep_at"], **AS_QUEUED}):
                self.kept.change(each, **changes)
                won.append({**run, **changes})
        return won

    def _is_free(self, run: Document) -> bool:
        if run["status"] == RunStatus.QUEUED:
            return run["waiting_for"] is None
        return bool(run["status"] == RunStatus.RUNNING and run["lease_expires_at"] < self.clock())

    async def extend_leases(self, claims: Sequence[Claim], owner: str, lease_seconds: float) -> list[Claim]:
        """Extend the leases that still stand, and return the claims that were lost."""
        lease = self.clock() + timedelta(seconds=lease_seconds)
        lost = []
        for claim in claims:
            mine = {"_id": claim.run_id, "attempt": claim.attempt, "owner": owner, "status": RunStatus.RUNNING}
            found = list(self.kept.find(mine))
            for run in found:
                self.kept.change(run, lease_expires_at=lease, sweep_at=lease)
            lost += [] if found else [claim]
        return lost

    async def write_fenced(self, writes: Sequence[Commit | Return]) -> list[bool]:
        """Do each write whose claim still stands; return which did."""
        for write in sorted(writes, key=lambda write: isinstance(write, Return)):
            match write:
                case Commit():
                    self._end(write)
                case Return():
                    self._hand_back(write)
        return [self._was_done(write) for write in writes]

    def _end(self, commit: Commit) -> None:
        claim = commit.claim
        stands = fence(claim.attempt, claim.owner, commit.status, only_if_wanted=commit.only_if_wanted)
        for run in self.kept.find({"_id": claim.run_id, **stands}):
            self.kept.change(run, "lease_expires_at", "claim", **commit.changes())

    def _hand_back(self, back: Return) -> None:
        due = back.waiting_for["until"] if back.waiting_for else None
        look_after = LOOK_AT_WAITING_AFTER if back.waiting_for else DISPATCH_AGAIN_AFTER
        stands = fence(back.claim.attempt, back.claim.owner, RunStatus.QUEUED)
        for run in self.kept.find({"_id": back.claim.run_id, **stands}):
            self.kept.change(
                run,
                *("lease_expires_at", "claim", "owner"),
                status=RunStatus.QUEUED,
                changed_at=back.changed_at,
                usage=usage_document(back.usage),
                error=error_document(back.error),
                waiting_for=back.waiting_for,
                failures=run["failures"] + (back.error is not None),
                sweep_at=due or back.changed_at + look_after,
                express=back.waiting_for is None or run["express"],
            )

    def _was_done(self, write: Commit | Return) -> bool:
        run = self.kept.get(write.claim.run_id)
        if run is None or run["attempt"] != write.claim.attempt:
            return False
        match write:
            case Commit():
                return bool((run.get("owner"), run["status"]) == (write.claim.owner, write.status))
            case Return():
                return bool((run["status"], run["changed_at"]) == (RunStatus.QUEUED, write.changed_at))

    async def settle(self, ids: Iterable[str]) -> None:
        """Note that everything that follows from these finished runs was done."""
        for run in self.kept.find({"_id": {"$in": list(ids)}, "status": {"$in": list(TERMINAL)}}):
            self.kept.change(run, "sweep_at")

    async def load(self, ids: Iterable[str]) -> dict[str, Document]:
        """Return the runs as they are stored."""
        return {run["_id"]: run for run in self.kept.find({"_id": {"$in": list(ids)}})}

    async def known(self, ids: Iterable[str]) -> set[str]:
        """Return those of the ids that are stored."""
        return {each for each in ids if each in self.kept}

    async def find(self, query: Document, limit: int) -> list[Document]:
        """Return runs that match, the latest change first and of one moment by id; without what no list shows."""
        latest = sorted(self.kept.find(query), key=lambda run: (run["changed_at"], run["_id"]), reverse=True)
        return [{name: run[name] for name in run if name not in NOT_LISTED} for run in latest[:limit]]

    async def counts(self, queries: Sequence[Document], limit: int) -> list[int]:
        """Return how many runs match each of the queries, counting none further than `limit`."""
        return [min(limit, len(list(self.kept.find(query)))) for query in queries]
