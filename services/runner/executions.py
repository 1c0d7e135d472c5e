"""All attempts under way in this process: started, counted, stopped when lost, handed back when it must go."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from services.runner.ending import Endings
from services.runner.execution import Claimed, Execution
from services.runner.slots import Slots
from shared.domain.run import Claim, Usage
from shared.errors import StorageUnavailable

log = structlog.get_logger()


@dataclass(slots=True)
class _UnderWay:
    claimed: Claimed
    task: asyncio.Task[None]


class Executions:
    """Owns one task per run. A slot is given back when the task has ended, however it ended."""

    def __init__(self, execution: Execution, endings: Endings, slots: Slots) -> None:
        self._execution = execution
        self._endings = endings
        self._slots = slots
        self._under_way: dict[Claim, _UnderWay] = {}

    def start(self, claimed: Claimed) -> None:
        """Start an attempt on a slot that is taken already."""
        task = asyncio.create_task(self._execution.run(claimed), name=claimed.claim.run_id)
        self._under_way[claimed.claim] = _UnderWay(claimed, task)
        task.add_done_callback(lambda done: self._ended(claimed.claim, done))

    def claims(self) -> Sequence[Claim]:
        """Return what this process holds now."""
        return list(self._under_way)

    def stop_lost(self, claim: Claim) -> None:
        """Stop an attempt whose run belongs to somebody else by now."""
        under_way = self._under_way.get(claim)
        if under_way is not None:
            with under_way.claimed.logged:
                log.warning("run.lost", run_id=claim.run_id, attempt=claim.attempt)
            under_way.task.cancel()

    def cancel(self, claim: Claim) -> None:
        """End an attempt because somebody wants its run to end; asking again changes nothing."""
        under_way = self._under_way.get(claim)
        if under_way is not None and under_way.claimed.cancel():
            with under_way.claimed.logged:
                log.info("run.cancelling", run_id=claim.run_id, attempt=claim.attempt)
            under_way.task.cancel()

    async def drain(self, seconds: float) -> None:
        """Let attempts finish for this long, then return the rest to the queue, where others take them at once."""
        tasks = [under_way.task for under_way in self._under_way.values()]
        if tasks and seconds > 0:
            await asyncio.wait(tasks, timeout=seconds)
        remaining = list(self._under_way.values())
        for under_way in remaining:
            under_way.task.cancel()
        await asyncio.gather(*(under_way.task for under_way in remaining), return_exceptions=True)
        await asyncio.gather(*(self._hand_back(under_way.claimed) for under_way in remaining))
        await self._endings.settled()

    async def _hand_back(self, claimed: Claimed) -> None:
        with claimed.logged:
            await self._handed_back(claimed)

    async def _handed_back(self, claimed: Claimed) -> None:
        claim = claimed.claim
        try:
            is_handed_back = await self._endings.hand_back(claimed.run, claim, Usage())
        except StorageUnavailable as error:
            log.warning("run.hand_back_failed", run_id=claim.run_id, error=error.message)
            return
        if is_handed_back:
            log.info("run.handed_back", run_id=claim.run_id, attempt=claim.attempt, agent=claimed.run["agent_key"])

    def _ended(self, claim: Claim, task: asyncio.Task[None]) -> None:
        self._under_way.pop(claim, None)
        self._slots.give_back()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("attempt.crashed", run_id=claim.run_id, exc_info=error)
