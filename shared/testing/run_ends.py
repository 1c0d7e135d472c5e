"""Runs kept in memory whose life is changed from outside."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import uuid4

from shared.clock import Clock
from shared.domain.run import ACTIVE, Claim, RunStatus
from shared.store.run_documents import DISPATCH_AGAIN_AFTER
from shared.store.run_ends import MOST_LOSSES, Cancel, CancelResult, RunEnds
from shared.testing.documents import Document, Documents, matches


class KeptRunEnds(RunEnds):
    """Does what the real store does, each call at once."""

    kept: Documents
    clock: Clock

    async def take_over(self, ids: Sequence[str], now: datetime) -> list[Document]:
        """Return those of the runs to the queue whose lease ran out, as they are then."""
        lost = {"_id": {"$in": list(ids)}, "lease_expires_at": {"$lt": self.clock()}}
        return self._taken_over(lost, now)

    async def take_over_from(self, owner: str, now: datetime) -> list[Document]:
        """Do the same with every run of a runner that is gone, whatever its leases say."""
        return self._taken_over({"sweep_at": {"$exists": True}, "owner": owner}, now)

    def _taken_over(self, lost: Document, now: datetime) -> list[Document]:
        found = self.kept.find({**lost, "status": RunStatus.RUNNING})
        return [self._taken(run, uuid4().hex, now) for run in found]

    def _taken(self, run: Document, token: str, now: datetime) -> Document:
        losses = run["losses"] + 1
        detail = f"Runner {run['owner']} was lost in attempt {run['attempt']}."
        is_last = losses > MOST_LOSSES
        end = RunStatus.FAILED if run["cancel"] is None else RunStatus.CANCELLED
        return self.kept.change(
            run,
            *("lease_expires_at", "claim", "owner"),
            *(() if is_last else ("finished_at",)),
            status=end if is_last else RunStatus.QUEUED,
            finished_at=now,
            losses=losses,
            changed_at=now,
            error={"code": "runner_lost", "detail": detail},
            waiting_for=None,
            sweep_at=now if is_last else now + DISPATCH_AGAIN_AFTER,
            express=True,
            taken_over=token,
        )

    async def cancel(self, query: Document, cancel: Cancel) -> CancelResult:
        """End the queued runs that match, and ask for the end of the running ones."""
        wanted = {"$and": [query, {"status": {"$in": list(ACTIVE)}, "cancel": None}]}
        found, token = list(self.kept.find(wanted)), uuid4().hex
        asked = [self._asked_to_end(run, cancel, token) for run in found if _needs_a_runner(run)]
        for run in found:
            if not _needs_a_runner(run):
                self._cancelled(run, cancel)
        running = [run for run in asked if run["status"] == RunStatus.RUNNING]
        return CancelResult(
            len(found) - len(asked),
            tuple(Claim(run["_id"], run["attempt"], run["owner"]) for run in running),
            tuple(run for run in asked if run["status"] == RunStatus.QUEUED),
        )

    def _cancelled(self, run: Document, cancel: Cancel) -> None:
        self.kept.change(
            run,
            status=RunStatus.CANCELLED,
            cancel=cancel.document(),
            error={"code": "cancelled", "detail": cancel.detail},
            waiting_for=None,
            changed_at=cancel.requested_at,
            finished_at=cancel.requested_at,
            sweep_at=cancel.requested_at,
        )

    def _asked_to_end(self, run: Document, cancel: Cancel, token: str) -> Document:
        at, wanted = cancel.requested_at, {**cancel.document(), "token": token}
        look_at = at if run["status"] == RunStatus.QUEUED else run["sweep_at"]
        slots = run["slots"] if run["waiting_for"] is None else []
        changes = {"changed_at": at, "sweep_at": look_at, "slots": slots}
        return self.kept.change(run, cancel=wanted, waiting_for=None, **changes)

    async def cancelling(self, claims: Iterable[Claim]) -> list[Claim]:
        """Return those of the claims whose runs somebody wants to end."""
        held = {claim.run_id: claim for claim in claims}
        found = self.kept.find({"_id": {"$in": list(held)}, "cancel": {"$ne": None}})
        return [held[run["_id"]] for run in found]

    async def redrive(self, ids: Sequence[str], now: datetime) -> list[Document]:
        """Queue failed runs again, with all their attempts before them; return those that were, as they are now."""
        waiting = {"what": "retry", "since": now, "until": now, "detail": "redriven"}
        token = uuid4().hex
        return [
            self.kept.change(
                run,
                *("finished_at", "started_at"),
                status=RunStatus.QUEUED,
                failures=0,
                losses=0,
                waiting_for=waiting,
                changed_at=now,
                queue_expires_at=None,
                sweep_at=now,
                redrive=token,
                redriven=run.get("redriven", 0) + 1,
            )
            for run in self.kept.find({"_id": {"$in": list(ids)}, "status": RunStatus.FAILED})
        ]


def _needs_a_runner(run: Document) -> bool:
    codes = [None, "runner_lost", "attempt_timed_out", "model_timed_out", "model_unavailable"]
    left_behind = {"attempt": {"$gt": 0}, "error.code": {"$in": codes}}
    return run["status"] == RunStatus.RUNNING or matches(run, left_behind)
