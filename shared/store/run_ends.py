"""Runs whose life is changed from outside: taken over from a runner that is lost, cancelled, or tried again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from shared.domain.run import Claim, RunStatus
from shared.store.mongo import Collection, Document, storage_errors
from shared.store.run_documents import DISPATCH_AGAIN_AFTER

MOST_LOSSES = 5
_ROUNDS = 10
_MOST_AT_ONCE = 1_000
# The provider may still be at work for a run whose runner went away in the middle, or that was tried again because it
# took too long: a runner has to see to that.
_LEFT_BEHIND = {
    "attempt": {"$gt": 0},
    "error.code": {"$in": [None, "runner_lost", "attempt_timed_out", "model_timed_out", "model_unavailable"]},
}


@dataclass(frozen=True, slots=True)
class Cancel:
    """Who wants runs to end, when and why."""

    requested_by: str
    requested_at: datetime
    reason: str | None = None

    def document(self) -> Document:
        return {"requested_at": self.requested_at, "requested_by": self.requested_by, "reason": self.reason}

    @property
    def detail(self) -> str:
        return f"Cancelled by {self.requested_by}{'' if self.reason is None else f': {self.reason}'}."


@dataclass(frozen=True, slots=True)
class CancelResult:
    """How many runs have ended, and the claims of those that end as soon as their runner has seen to it."""

    cancelled: int
    cancelling: tuple[Claim, ...]
    requeued: tuple[Document, ...]


class RunEnds:
    """What happens to documents of the `runs` collection from outside."""

    _runs: Collection

    async def take_over(self, ids: Sequence[str], now: datetime) -> list[Document]:
        """Return those of the runs to the queue whose lease ran out by the database's clock, as they are then.

        A run that was lost too often fails, or is cancelled when somebody wants that. Nothing is changed of a run whose
        runner came back in time.
        """
        expired = {"$expr": {"$lt": ["$lease_expires_at", "$$NOW"]}}
        return await self._take_over({"_id": {"$in": list(ids)}, "status": RunStatus.RUNNING, **expired}, now)

    async def take_over_from(self, owner: str, now: datetime) -> list[Document]:
        """Do the same with every run of a runner that is gone, whatever its leases say."""
        held = {"sweep_at": {"$exists": True}, "status": RunStatus.RUNNING, "owner": owner}
        with storage_errors():
            # The index of what is under way: there is none by owner, since this happens rarely.
            ids = [run["_id"] async for run in self._runs.find(held, {"_id": 1}).hint("to_sweep")]
        return await self._take_over({"_id": {"$in": ids}, "status": RunStatus.RUNNING, "owner": owner}, now)

    async def _take_over(self, lost: Document, now: datetime) -> list[Document]:
        token = uuid4().hex
        losses = {"$add": [{"$ifNull": ["$losses", 0]}, 1]}
        is_last = {"$gt": [losses, MOST_LOSSES]}
        end = {"$cond": [{"$gt": ["$cancel", None]}, RunStatus.CANCELLED, RunStatus.FAILED]}
        said = ["Runner ", "$owner", " was lost in attempt ", {"$toString": "$attempt"}, "."]
        changes = {
            "status": {"$cond": [is_last, end, RunStatus.QUEUED]},
            "finished_at": {"$cond": [is_last, now, "$$REMOVE"]},
            "losses": losses,
            "changed_at": now,
            "error": {"code": "runner_lost", "detail": {"$concat": said}},
            "waiting_for": None,
            "sweep_at": {"$cond": [is_last, now, now + DISPATCH_AGAIN_AFTER]},
            # It has waited for its turn already.
            "express": True,
            "taken_over": token,
        }
        with storage_errors():
            await self._runs.update_many(lost, [{"$set": changes}, {"$unset": ["lease_expires_at", "claim", "owner"]}])
            return await self._runs.find({"_id": lost["_id"], "taken_over": token}).to_list(None)

    async def cancel(self, query: Document, cancel: Cancel) -> CancelResult:
        """End the queued runs that match, and ask for the end of the running ones.

        A run may be claimed, or return to the queue, in between: it is looked again until there is nothing left to do.
        """
        token, cancelled = uuid4().hex, 0
        for _ in range(_ROUNDS):
            ended, asked = await self._cancel_queued(query, cancel), await self._ask_to_end(query, cancel, token)
            cancelled += ended
            if ended == asked == 0:
                break
        with storage_errors():
            told = {"sweep_at": {"$exists": True}, "cancel.token": token}
            asked_for = await self._runs.find(told).hint("to_sweep").to_list(None)
        running = [run for run in asked_for if run["status"] == RunStatus.RUNNING]
        return CancelResult(
            cancelled,
            tuple(Claim(run["_id"], run["attempt"], run["owner"]) for run in running),
            tuple(run for run in asked_for if run["status"] == RunStatus.QUEUED),
        )

    async def _cancel_queued(self, query: Document, cancel: Cancel) -> int:
        """End them so many at a time that no command takes long, however many there are."""
        cancelled = 0
        while ended := await self._cancel_some_queued(query, cancel):
            cancelled += ended
        return cancelled

    async def _cancel_some_queued(self, query: Document, cancel: Cancel) -> int:
        queued = {"status": RunStatus.QUEUED, "cancel": None, "$nor": [_LEFT_BEHIND]}
        changes = {
            "status": RunStatus.CANCELLED,
            "cancel": cancel.document(),
            "error": {"code": "cancelled", "detail": cancel.detail},
            "waiting_for": None,
            "changed_at": cancel.requested_at,
            "finished_at": cancel.requested_at,
            "sweep_at": cancel.requested_at,
        }
        with storage_errors():
            found = self._runs.find({"$and": [query, queued]}, {"_id": 1}).limit(_MOST_AT_ONCE)
            ids = [run["_id"] async for run in found]
            if not ids:
                return 0
            some = {"_id": {"$in": ids}}
            return (await self._runs.update_many({"$and": [some, queued]}, {"$set": changes})).matched_count

    async def _ask_to_end(self, query: Document, cancel: Cancel, token: str) -> int:
        left_behind = {"status": RunStatus.QUEUED, **_LEFT_BEHIND}
        open_ = {"cancel": None, "$or": [{"status": RunStatus.RUNNING}, left_behind]}
        is_queued = {"$eq": ["$status", RunStatus.QUEUED]}
        changes = {
            "cancel": {"$literal": {**cancel.document(), "token": token}},
            "changed_at": cancel.requested_at,
            "waiting_for": None,
            # What has waited holds no place, and needs none to be ended.
            "slots": {"$cond": [{"$gt": ["$waiting_for", None]}, [], "$slots"]},
            # The sweep dispatches what is queued; of what is running it looks at the lease.
            "sweep_at": {"$cond": [is_queued, cancel.requested_at, "$sweep_at"]},
        }
        with storage_errors():
            return (await self._runs.update_many({"$and": [query, open_]}, [{"$set": changes}])).matched_count

    async def cancelling(self, claims: Iterable[Claim]) -> list[Claim]:
        """Return those of the claims whose runs somebody wants to end."""
        held = {claim.run_id: claim for claim in claims}
        if not held:
            return []
        query = {"_id": {"$in": list(held)}, "cancel": {"$ne": None}}
        with storage_errors():
            return [held[run["_id"]] async for run in self._runs.find(query, {"_id": 1})]

    async def redrive(self, ids: Sequence[str], now: datetime) -> list[Document]:
        """Queue failed runs again, with all their attempts before them; return those that were, as they are now.

        Their finished steps stay, so that what was paid for is not paid again. The sweep dispatches them.
        """
        token = uuid4().hex
        changes = {
            "status": RunStatus.QUEUED,
            "failures": 0,
            "losses": 0,
            "waiting_for": {"what": "retry", "since": now, "until": now, "detail": "redriven"},
            "changed_at": now,
            "queue_expires_at": None,
            "sweep_at": now,
            "redrive": token,
        }
        failed = {"_id": {"$in": list(ids)}, "status": RunStatus.FAILED}
        write = {"$set": changes, "$unset": {"finished_at": "", "started_at": ""}, "$inc": {"redriven": 1}}
        with storage_errors():
            await self._runs.update_many(failed, write)
            return await self._runs.find({"_id": {"$in": list(ids)}, "redrive": token}).to_list(None)
