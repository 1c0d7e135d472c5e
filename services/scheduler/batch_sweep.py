"""Moves batches on: starts runs for their next users, notes how far they are, and ends them after their last run."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from shared.admission import Admission
from shared.clock import Clock
from shared.domain.batch import plan_of, progress_of
from shared.families import end_children
from shared.messaging.publisher import Publisher
from shared.store.batches import batch_of, child_document
from shared.store.events import EventStore
from shared.store.mongo import Document
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore

log = structlog.get_logger()

_BATCH = 50


@dataclass(frozen=True, slots=True)
class BatchSweep:
    """Everything may be repeated, also by two leaders at once: a user has one run in a round, by its id."""

    runs: RunStore
    events: EventStore
    admission: Admission
    publisher: Publisher
    clock: Clock

    async def sweep(self) -> int:
        """Look at the batches that are due; return how many there were."""
        due = await self.runs.batches_due(self.clock(), _BATCH)
        for parent in due:
            await self._move_on(parent)
        return len(due)

    async def _move_on(self, parent: Document) -> None:
        if parent.get("started_at") is None and not await self._is_decided(parent):
            return
        batch = batch_of(parent)
        children = await self.runs.children_of(parent["_id"])
        plan, progress, now = plan_of(batch, children), progress_of(batch, children), self.clock()
        if plan.is_over:
            await self._complete(parent, progress)
            return
        is_waiting = await self.runs.note_progress(parent, progress, now)
        if is_waiting and plan.start:
            await self._start(parent, plan.start)

    async def _start(self, parent: Document, users: Sequence[str]) -> None:
        """Start the runs of these users, and end them again when the batch was cancelled meanwhile."""
        now = self.clock()
        added = await self.runs.add_children([child_document(parent, user, now) for user in users])
        await self.admission.release(added)
        log.info("batch.continued", run_id=parent["_id"], started=len(added))
        current = (await self.runs.load([parent["_id"]])).get(parent["_id"])
        if current is not None and current["cancel"] is not None:
            await end_children(self.runs, self.publisher, [current])

    async def _complete(self, parent: Document, progress: Document) -> None:
        if await self.runs.complete_batch(parent, progress, self.clock()):
            counts = {name: progress[name] for name in ("users_total", "users_failed", "enrichments_applied")}
            log.info("batch.completed", run_id=parent["_id"], agent=parent["agent_key"], **counts)

    async def _is_decided(self, parent: Document) -> bool:
        """Return whether the gate's record names the batch; one that it does not name ends, as any such run does."""
        decisions = (await self.events.decisions([parent["event_key"]])).get(parent["event_key"])
        if decisions is None:
            return False
        if any(decision.get("run_id") == parent["_id"] for decision in decisions):
            return True
        reason = "the decision that was recorded first does not start it"
        await self.runs.cancel({"_id": parent["_id"]}, Cancel("towpath", self.clock(), reason))
        return False
