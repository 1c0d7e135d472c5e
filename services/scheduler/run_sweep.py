"""Does again what may have been lost on the way of a run: dispatch, release, take-over, and what follows its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

import structlog

from contracts.lanes import Lane
from services.scheduler.again import look_again_at
from shared.aftermath import Aftermath
from shared.clock import Clock
from shared.domain.run import TERMINAL, RunError, RunStatus
from shared.domain.run_event import run_event
from shared.messaging.publisher import Publisher
from shared.store.mongo import Document
from shared.store.runs import RunStore

log = structlog.get_logger()

MOST_LOSSES = 5
BATCH = 500
_TELL_WITHIN = timedelta(seconds=100)


class Need(Enum):
    """What a run that is due for the sweep needs."""

    DISPATCH = auto()
    TAKE_OVER = auto()
    FOLLOW = auto()


def need_of(run: Document) -> Need:
    """Decide from its status; a queued run is released and dispatched in one."""
    status = RunStatus(run["status"])
    if status in TERMINAL:
        return Need.FOLLOW
    return Need.DISPATCH if status is RunStatus.QUEUED else Need.TAKE_OVER


@dataclass(frozen=True, slots=True)
class RunSweep:
    """Every action is one that may be repeated: the server refuses a second dispatch, the claim fences a take-over."""

    runs: RunStore
    aftermath: Aftermath
    publisher: Publisher
    clock: Clock

    async def sweep(self, *, may_take_over: bool) -> int:
        """Look at a batch of what is due; return how many runs moved on.

        `may_take_over` is false while leases may have run out only because nobody could extend them.
        """
        now = self.clock()
        due = await self.runs.due_for_sweep(now, BATCH)
        grouped: dict[Need, list[Document]] = {need: [] for need in Need}
        for run in due:
            grouped[need_of(run)].append(run)
        await self._dispatch((run for run in grouped[Need.DISPATCH] if _is_released(run, now)), now)
        if may_take_over:
            await self._take_over(grouped[Need.TAKE_OVER], now)
        await self._follow(grouped[Need.FOLLOW], now)
        return len(due) if may_take_over else len(due) - len(grouped[Need.TAKE_OVER])

    async def _follow(self, finished: Sequence[Document], now: datetime) -> None:
        if finished and not await self.aftermath.follow(finished):
            await self.runs.sweep_again_at((run["_id"], look_again_at(run["finished_at"], now)) for run in finished)

    async def _dispatch(self, runs: Iterable[Document], now: datetime) -> None:
        queued = list(runs)
        await self.runs.release((run["_id"], look_again_at(run["changed_at"], now)) for run in queued)
        await self.publisher.dispatch((Lane(run["lane"]), run["_id"]) for run in queued)
        # The stream knows what it was told for two minutes; told later, the same fact would be in it twice.
        await self.publisher.run_events([run_event(run) for run in queued if now - run["changed_at"] < _TELL_WITHIN])

    async def _take_over(self, runs: Sequence[Document], now: datetime) -> None:
        for run in runs:
            error = RunError(
                "runner_lost", f"Runner {run['owner']} stopped extending its lease in attempt {run['attempt']}."
            )
            if run["failures"] + 1 > MOST_LOSSES:
                if await self.runs.fail_lost(run, now, error):
                    log.error("run.failed", run_id=run["_id"], code=error.code, detail=error.detail)
            elif await self.runs.requeue_lost(run, now, error):
                log.warning("run.taken_over", run_id=run["_id"], attempt=run["attempt"], owner=run["owner"])
                await self.publisher.dispatch([(Lane(run["lane"]), run["_id"])])


def _is_released(run: Document, now: datetime) -> bool:
    waiting = run["waiting_for"]
    return waiting is None or bool(waiting["until"] <= now)
