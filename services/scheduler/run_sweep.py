"""Does again what may have been lost on the way of a run: dispatch, release, take-over, and what follows its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog

from contracts.lanes import Lane, Queue
from services.scheduler.again import look_again_at
from services.scheduler.paused import Paused
from services.scheduler.steadiness import Steadiness
from shared.admission import Admission
from shared.aftermath import Aftermath
from shared.clock import Clock
from shared.domain.deadline import overdue
from shared.domain.run import TERMINAL, RunStatus, Waiting
from shared.domain.run_event import run_events
from shared.messaging.publisher import Publisher
from shared.store.mongo import Document
from shared.store.runs import RunStore

log = structlog.get_logger()

BATCH = 500
_TELL_WITHIN = timedelta(seconds=100)


class Need(Enum):
    """What a run that is due for the sweep needs."""

    EXPIRE = auto()
    DISPATCH = auto()
    RELEASE = auto()
    STAY_PAUSED = auto()
    TAKE_OVER = auto()
    FOLLOW = auto()


def need_of(run: Document, now: datetime, *, is_paused: bool) -> Need:
    """Decide from its status, its time, and what it waits for."""
    status = RunStatus(run["status"])
    if status in TERMINAL:
        return Need.FOLLOW
    if status is RunStatus.RUNNING:
        return Need.TAKE_OVER
    if run["cancel"] is not None:
        return Need.DISPATCH
    if overdue(run, now) is not None:
        return Need.EXPIRE
    waiting = run["waiting_for"]
    if waiting is None:
        return Need.DISPATCH
    return Need.STAY_PAUSED if waiting["what"] == Waiting.PAUSED and is_paused else Need.RELEASE


@dataclass(frozen=True, slots=True)
class RunSweep:
    """Every action is one that may be repeated: the server refuses a second dispatch, the claim fences a take-over."""

    runs: RunStore
    admission: Admission
    paused: Paused
    aftermath: Aftermath
    publisher: Publisher
    steadiness: Steadiness
    clock: Clock

    async def sweep(self) -> int:
        """Look at a batch of what is due; return how many runs moved on.

        Nothing is taken over while leases may have run out only because nobody could extend them.
        """
        now = self.clock()
        due = await self.runs.due_for_sweep(now, BATCH)
        grouped: dict[Need, list[Document]] = {need: [] for need in Need}
        for run in due:
            grouped[need_of(run, now, is_paused=self.paused.is_paused(run))].append(run)
        await self._expire(grouped[Need.EXPIRE], now)
        await self._dispatch(grouped[Need.DISPATCH], now)
        await self.admission.release(grouped[Need.RELEASE])
        await self._look_later(grouped[Need.STAY_PAUSED], now)
        taken_over = await self._take_over(grouped[Need.TAKE_OVER], now) if self.steadiness.is_steady else 0
        await self._follow(grouped[Need.FOLLOW], now)
        return len(due) - len(grouped[Need.TAKE_OVER]) + taken_over

    async def take_over_from(self, owner: str) -> int:
        """Have every run of a runner that is gone start elsewhere; return how many there were."""
        return await self._restart(await self.runs.take_over_from(owner, self.clock()))

    async def _expire(self, runs: Sequence[Document], now: datetime) -> None:
        errors = [(run["_id"], error) for run in runs if (error := overdue(run, now)) is not None]
        await self.runs.fail_queued(errors, now)
        for run_id, error in errors:
            log.error("run.failed", run_id=run_id, code=error.code, detail=error.detail)

    async def _follow(self, finished: Sequence[Document], now: datetime) -> None:
        late = [run for run in finished if now - run["finished_at"] >= _TELL_WITHIN]
        soon = [run for run in finished if now - run["finished_at"] < _TELL_WITHIN]
        for runs, may_be_told in ((soon, False), (late, True)):
            if runs and not await self.aftermath.follow(runs, may_be_told=may_be_told):
                await self.runs.sweep_again_at((run["_id"], look_again_at(run["finished_at"], now)) for run in runs)

    async def _dispatch(self, queued: Sequence[Document], now: datetime) -> None:
        await self.runs.sweep_again_at((run["_id"], look_again_at(run["changed_at"], now)) for run in queued)
        # The stream knows what it was told for two minutes; told later, the same fact would be in it twice.
        await self.publisher.run_events(run_events(run for run in queued if now - run["changed_at"] < _TELL_WITHIN))
        await self._publish(queued)

    async def _look_later(self, runs: Sequence[Document], now: datetime) -> None:
        await self.runs.sweep_again_at((run["_id"], look_again_at(run["changed_at"], now)) for run in runs)

    async def _take_over(self, runs: Sequence[Document], now: datetime) -> int:
        return await self._restart(await self.runs.take_over([run["_id"] for run in runs], now)) if runs else 0

    async def _restart(self, lost: Sequence[Document]) -> int:
        queued = [run for run in lost if run["status"] == RunStatus.QUEUED]
        await self.publisher.run_events(run_events(queued))
        await self._publish(queued)
        for run in lost:
            log.warning("run.taken_over", run_id=run["_id"], attempt=run["attempt"], status=run["status"])
        return len(lost)

    async def _publish(self, queued: Sequence[Document]) -> None:
        await self.publisher.dispatch(
            (Queue.of(Lane(run["lane"]), is_express=bool(run.get("express"))), run["_id"]) for run in queued
        )
