"""The scheduler, composed: owns time and recovery, on one process at a time."""

import asyncio

import structlog
from nats.aio.client import Client

from services.scheduler.event_sweep import EventSweep
from services.scheduler.leader import Leader
from services.scheduler.lost_runners import LostRunners
from services.scheduler.run_sweep import RunSweep
from services.scheduler.streams import Streams
from services.scheduler.sweeper import Sweeper
from services.scheduler.timers import Timers
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.domain.configuration import Configuration
from shared.messaging.backlog import Backlog
from shared.messaging.broker import make_broker
from shared.messaging.publisher import Publisher
from shared.process import Process
from shared.settings import SchedulerSettings
from shared.store.events import EventStore
from shared.store.leases import LeaseStore
from shared.store.members import MemberStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.runners import RunnerStore
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleStore
from shared.store.watch import ConfigurationWatch
from shared.supervise import stop, supervised

log = structlog.get_logger()


def make_sweeper(
    settings: SchedulerSettings, mongo: Mongo, client: Client, publisher: Publisher, leader: Leader
) -> Sweeper:
    """Compose the sweep."""
    runs = RunStore(mongo.database)
    return Sweeper(
        events=EventSweep(EventStore(mongo.database), publisher, Backlog(client), utc_now),
        runs=RunSweep(runs, Aftermath(runs, ProposalStore(mongo), publisher), publisher, utc_now),
        streams=Streams(client, settings),
        leader=leader,
        clock=utc_now,
    )


def make_timers(mongo: Mongo, publisher: Publisher, configuration: Configuration, leader: Leader) -> Timers:
    """Compose the timers."""
    return Timers(
        schedules=ScheduleStore(mongo.database),
        members=MemberStore(mongo.database),
        events=EventStore(mongo.database),
        publisher=publisher,
        configuration=configuration,
        leader=leader,
        clock=utc_now,
    )


async def run(settings: SchedulerSettings, process: Process) -> None:
    """Serve until the process is asked to stop."""
    mongo = Mongo(settings)
    broker = make_broker(settings)
    publisher = Publisher()
    leader = Leader(LeaseStore(mongo.database), process.instance, settings.leader_lease_seconds)
    watch = ConfigurationWatch(mongo.database)
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(supervised("watch", watch.run))]
        await watch.is_loaded.wait()
        client = await broker.connect()
        publisher.attach(client)
        await broker.start()
        sweeper = make_sweeper(settings, mongo, client, publisher, leader)
        lost = LostRunners(RunnerStore(mongo.database), RunStore(mongo.database), client, leader, sweeper.sweep)
        loops = {
            "leader": leader.run,
            "sweeper": lambda: sweeper.run(settings.sweep_interval_seconds),
            "lost_runners": lost.run,
        }
        if settings.operating_background_enabled:
            timers = make_timers(mongo, publisher, watch.configuration, leader)
            watch.on_change = timers.plan_soon
            loops["timers"] = timers.run
        else:
            log.warning("timers.disabled", setting="OPERATING_BACKGROUND_ENABLED")
        working += [tasks.create_task(supervised(name, loop)) for name, loop in loops.items()]
        await process.serve(client)
        await stop(working)
    await broker.stop()
    mongo.close()
