"""Gating, composed: subscribes the gate to the events, and keeps the configuration fresh."""

import asyncio
from datetime import timedelta

from faststream.nats import NatsBroker

from contracts.streams import GATING
from services.gating.arrival import Arrival, parse_arrival
from services.gating.behaviour import Behaviour
from services.gating.continuing import Continuing
from services.gating.dead_letters import EventDeadLetters
from services.gating.gate import Gate
from services.gating.gathering import Gathering
from services.gating.starting import Starts
from shared.admission import Admission, queue_limits
from shared.clock import Clock
from shared.delayed import Delayed
from shared.follow_ups import FollowUps
from shared.messaging.broker import make_broker, on_batches
from shared.messaging.delivery import BatchDelivery
from shared.messaging.publisher import Publisher
from shared.process import Process
from shared.settings import GatingSettings
from shared.store.cooldowns import CooldownStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.idleness import IdlenessStore
from shared.store.jobs import JobStore
from shared.store.members import MemberStore
from shared.store.message_counts import MessageCountStore
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from shared.store.server_clock import ServerClock
from shared.store.sessions import SessionStore
from shared.store.sightings import SightingStore
from shared.store.slots import SlotStore
from shared.store.watch import ConfigurationWatch
from shared.supervise import stop, supervised

_FULL_BATCHES_AHEAD = 1


def subscribe(broker: NatsBroker, gate: Gate, batch_size: int) -> None:
    """Have the gate consider every event."""
    delivery: BatchDelivery[Arrival] = BatchDelivery("event", parse_arrival, gate.consider, gate.dead_letters)

    async def wanted() -> int:
        return batch_size

    description = "Accepted events, to be decided."
    on_batches(broker, GATING, delivery, wanted=wanted, description=description, ahead=_FULL_BATCHES_AHEAD)


def make_behaviour(mongo: Mongo, events: EventStore, publisher: Publisher) -> Behaviour:
    """Compose what the gate takes into account of people's behaviour."""
    database = mongo.database
    return Behaviour(IdlenessStore(database), MessageCountStore(database), SightingStore(database), events, publisher)


def make_continuing(
    mongo: Mongo, runs: RunStore, admission: Admission, turn_limit: timedelta, clock: Clock
) -> Continuing:
    """Compose what the gate writes down of sessions and jobs."""
    follow_ups = FollowUps(SessionStore(mongo.database), JobStore(mongo.database), clock)
    return Continuing(follow_ups, runs, admission, turn_limit)


async def run(settings: GatingSettings, process: Process) -> None:
    """Serve until the process is asked to stop."""
    mongo = Mongo(settings)
    broker = make_broker(settings)
    publisher = Publisher()
    watch = ConfigurationWatch(mongo.database)
    clock = ServerClock(mongo)
    runs, events = RunStore(mongo.database), EventStore(mongo.database)
    limits = queue_limits(settings)
    decided = Delayed("decided", events.settle)
    admission = Admission(SlotStore(mongo.database), runs, publisher, limits, clock)
    turn_limit = timedelta(seconds=settings.session_turn_seconds)
    gate = Gate(
        configuration=watch.configuration,
        events=events,
        runs=runs,
        members=MemberStore(mongo.database),
        behaviour=make_behaviour(mongo, events, publisher),
        continuing=make_continuing(mongo, runs, admission, turn_limit, clock),
        admission=admission,
        starts=Starts(Gathering(runs, events, publisher, watch.configuration, limits), CooldownStore(mongo.database)),
        publisher=publisher,
        dead_letters=EventDeadLetters(mongo, DeadLetterStore(mongo.database), events, publisher, clock),
        clock=clock,
        decided=decided,
    )
    subscribe(broker, gate, settings.gating_batch_size)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(supervised("watch", watch.run))
        timing = tasks.create_task(supervised("clock", clock.run))
        await watch.is_loaded.wait()
        publisher.attach(await broker.connect())
        await broker.start()
        await process.serve(await broker.connect())
        await broker.stop()
        await decided.settled()
        await stop([watching, timing])
    mongo.close()
