"""Gating, composed: subscribes the gate to the events, and keeps the configuration fresh."""

import asyncio

from faststream.nats import NatsBroker

from contracts.streams import GATING
from services.gating.arrival import Arrival, parse_arrival
from services.gating.gate import Gate
from shared.clock import utc_now
from shared.messaging.broker import make_broker, on_batches
from shared.messaging.delivery import BatchDelivery
from shared.messaging.publisher import Publisher
from shared.process import Process
from shared.settings import GatingSettings
from shared.store.events import EventStore
from shared.store.members import MemberStore
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from shared.store.watch import ConfigurationWatch
from shared.supervise import stop, supervised


def subscribe(broker: NatsBroker, gate: Gate, batch_size: int) -> None:
    """Have the gate consider every event."""
    delivery: BatchDelivery[Arrival] = BatchDelivery("event", parse_arrival, gate.consider, gate.publisher)

    async def wanted() -> int:
        return batch_size

    on_batches(broker, GATING, delivery, wanted=wanted, description="Accepted events, to be decided.")


async def run(settings: GatingSettings, process: Process) -> None:
    """Serve until the process is asked to stop."""
    mongo = Mongo(settings)
    broker = make_broker(settings)
    publisher = Publisher()
    watch = ConfigurationWatch(mongo.database)
    gate = Gate(
        configuration=watch.configuration,
        events=EventStore(mongo.database),
        runs=RunStore(mongo.database),
        members=MemberStore(mongo.database),
        publisher=publisher,
        clock=utc_now,
    )
    subscribe(broker, gate, settings.gating_batch_size)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(supervised("watch", watch.run))
        await watch.is_loaded.wait()
        publisher.attach(await broker.connect())
        await broker.start()
        await process.serve(await broker.connect())
        await broker.stop()
        await stop([watching])
    mongo.close()
