"""A sweep on real servers, with a clock and a configuration that a test sets."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from nats.aio.client import Client

from contracts.lanes import Queue
from contracts.streams import runner_consumer
from contracts.subjects import last_id
from services.scheduler.batch_sweep import BatchSweep
from services.scheduler.event_sweep import EventSweep
from services.scheduler.leader import Leader
from services.scheduler.paused import Paused
from services.scheduler.run_sweep import RunSweep
from services.scheduler.slot_sweep import SlotSweep
from services.scheduler.streams import Streams
from services.scheduler.sweeper import Sweeper
from shared.admission import Admission
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.domain.configuration import Configuration
from shared.domain.run import Claim, Waiting
from shared.domain.slot import OwnLimits, QueueLimits
from shared.follow_ups import FollowUps
from shared.messaging.backlog import Backlog
from shared.messaging.publisher import Publisher
from shared.settings import StreamSettings
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.jobs import JobStore
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.run_documents import waiting_document
from shared.store.runs import RunStore
from shared.store.sessions import SessionStore
from shared.store.slots import SlotStore
from tests.integration.messaging.looking import take
from tests.integration.store.given import LEASE_SECONDS, completing, queued
from tests.support.steadying import steady
from tests.unit.shared.given import Document, a_version, triggered

SECOND = timedelta(seconds=1)
LIMITS = QueueLimits(organisation=512)


class Clock:
    """A clock that a test sets; it begins at the present, because leases are the database's business."""

    def __init__(self) -> None:
        self.now = utc_now()

    def __call__(self) -> datetime:
        return self.now


class Bench:
    """A sweep with everything around it."""

    def __init__(self, mongo: Mongo, publisher: Publisher, client: Client, limits: QueueLimits = LIMITS) -> None:
        self.clock = Clock()
        self.client = client
        self.chance = 1.0
        self.store = RunStore(mongo.database)
        self.places = SlotStore(mongo.database)
        self.proposals = ProposalStore(mongo)
        self.accepted = EventStore(mongo.database)
        self.configuration = Configuration()
        self.configuration.replace_agents([a_version(triggered("noter"))])
        self.admission = Admission(self.places, self.store, publisher, limits, self.clock, lambda: self.chance)
        paused = Paused(self.store, self.admission, self.configuration)
        self.follow_ups = FollowUps(SessionStore(mongo.database), JobStore(mongo.database), self.clock)
        letters = DeadLetterStore(mongo.database)
        self.aftermath = Aftermath(self.store, self.proposals, letters, self.follow_ups, self.admission, publisher)
        self.steadiness = steady()
        self.runs = RunSweep(self.store, self.admission, paused, self.aftermath, publisher, self.steadiness, self.clock)
        self.slots = SlotSweep(self.places, self.store, self.admission, paused)
        self.events = EventSweep(self.accepted, publisher, Backlog(client), self.clock)
        leader = Leader(LeaseStore(mongo.database), "one", 3)
        streams = Streams(client, StreamSettings())
        self.batches = BatchSweep(self.store, self.accepted, self.admission, publisher, self.clock)
        self.sweeper = Sweeper(self.events, self.runs, self.batches, self.slots, streams, leader, self.clock)

    async def sweep_runs(self, after: timedelta = timedelta(0)) -> int:
        """Let time pass, and look at the runs."""
        self.clock.now += after
        return await self.runs.sweep()

    async def sweep_slots(self, after: timedelta = timedelta(0)) -> None:
        """Let time pass, and look at the slots."""
        self.clock.now += after
        await self.slots.sweep(self.clock.now)

    async def start(self, *ids: str, own: OwnLimits | None = None, **changes: Any) -> None:
        """Queue runs, and let them go one after the other: each gets its places, or waits for one."""
        for run_id in ids:
            self.clock.now += timedelta(milliseconds=1)
            waiting = waiting_document(Waiting.DELAY, self.clock.now, until=self.clock.now)
            await queued(
                self.store,
                run_id,
                queued_at=self.clock.now,
                own_limits=own or OwnLimits(),
                waiting_for=waiting,
                **changes,
            )
            await self.admission.release(list((await self.store.load([run_id])).values()))

    async def admitted(self) -> set[str]:
        """Return the runs that may be claimed or are running."""
        return {run["_id"] for run in await self.store.holding(self.clock.now, 1_000)}

    async def holders(self) -> dict[str, set[str]]:
        """Return who has a place, by the kind of slot."""
        return {slot.kind.value: set(slot.holders) for slot in await self.places.all()}

    async def end(self, *ids: str) -> list[Document]:
        """Complete runs, and return them; what follows from that is left to be done."""
        won = await self.store.claim(ids, "runner-1", LEASE_SECONDS)
        claims = [Claim(run["_id"], run["attempt"], "runner-1") for run in won]
        commits = [replace(completing(claim), finished_at=self.clock.now) for claim in claims]
        assert await self.store.write_fenced(commits) == [True] * len(ids)
        return list((await self.store.load(ids)).values())


async def dispatched(client: Client, count: int, queue: Queue = Queue.MEDIUM) -> list[str]:
    """Take runs from a queue, and return their ids."""
    return [last_id(message.subject) for message in await take(client, count, runner_consumer(queue))]
