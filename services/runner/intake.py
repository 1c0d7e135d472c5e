"""From a batch of dispatched runs to attempts under way."""

import asyncio
from collections.abc import Sequence

import structlog
from nats.aio.msg import Msg

from contracts.lanes import Queue
from contracts.subjects import last_id
from services.runner.execution import Claimed
from services.runner.executions import Executions
from services.runner.gathered import with_its_event
from services.runner.slots import Slots
from services.runner.versions import VersionCache
from shared.carried import carried_by
from shared.clock import Clock
from shared.domain.run import Claim
from shared.domain.run_event import run_events
from shared.errors import StorageUnavailable
from shared.messaging.publisher import Publisher
from shared.messaging.settling import give_back, settle
from shared.store.events import EventStore
from shared.store.mongo import Document
from shared.store.runs import RunStore

log = structlog.get_logger()

PATIENCE_SECONDS = 1.0
_RETRY_SECONDS = 0.5


class Intake:
    """Claims what was dispatched. The queue's entry ends with the claim: from then on the lease speaks for the run."""

    def __init__(
        self,
        runs: RunStore,
        events: EventStore,
        versions: VersionCache,
        executions: Executions,
        slots: Slots,
        publisher: Publisher,
        owner: str,
        lease_seconds: float,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._events = events
        self._versions = versions
        self._executions = executions
        self._slots = slots
        self._publisher = publisher
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._clock = clock

    async def take(self, queue: Queue, messages: list[Msg]) -> None:
        """Start what there are slots for; what has to wait too long for one goes back for other runners."""
        waiting = messages
        while waiting:
            taken = await self._slots.take(queue, len(waiting), PATIENCE_SECONDS)
            if taken == 0:
                break
            batch, waiting = waiting[:taken], waiting[taken:]
            await self._start(batch)
        for message in waiting:
            await give_back(message, 0)

    async def _start(self, messages: list[Msg]) -> None:
        """Claim as many runs as slots were taken; runs that cannot be claimed give their slots back."""
        started = 0
        try:
            for claimed in await self._claim(messages):
                self._executions.start(claimed)
                started += 1
        except StorageUnavailable as error:
            log.warning("claim.postponed", count=len(messages), error=error.message)
            for message in messages:
                await give_back(message, _RETRY_SECONDS)
        else:
            for message in messages:
                await settle(message.ack())
        finally:
            self._slots.give_back(len(messages) - started)

    async def _claim(self, messages: Sequence[Msg]) -> list[Claimed]:
        """Claim what is free of these; what came along with its dispatch, and is still as it was then, is not read."""
        carried = carried_by(message.data for message in messages)
        as_queued = [each.run for each in carried.values()]
        # The clocks of two processes agree to some milliseconds: no run starts before it was queued.
        now = max([self._clock(), *(run["queued_at"] for run in as_queued)])
        untouched = await self._runs.claim_untouched(as_queued, self._owner, self._lease_seconds, now)
        events = {run["event_key"]: carried[run["_id"]].event for run in untouched}
        known = {run["_id"] for run in untouched}
        ids = [run_id for message in messages if (run_id := last_id(message.subject)) not in known]
        others = await self._runs.claim(ids, self._owner, self._lease_seconds)
        runs = [*untouched, *others]
        loaded, _ = await asyncio.gather(
            self._events.load({run["event_key"] for run in others} - events.keys()),
            self._publisher.run_events(run_events(runs)),
        )
        events |= loaded
        return [await self._claimed(run, events.get(run["event_key"])) for run in runs]

    async def _claimed(self, run: Document, event: Document | None) -> Claimed:
        run, event = await with_its_event(run, event, self._events, self._runs)
        version = await self._versions.get(run["agent_version_id"])
        claimed = Claimed(Claim(run["_id"], run["attempt"], run["owner"]), run, version, event)
        with claimed.logged:
            log.debug(
                "run.claimed",
                run_id=run["_id"],
                attempt=run["attempt"],
                agent=run["agent_key"],
                organisation=run["organisation"],
            )
        return claimed
