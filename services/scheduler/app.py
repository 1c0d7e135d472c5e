"""The scheduler, composed: owns time and recovery, on one process at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from nats.aio.client import Client

from services.scheduler.background import BackgroundNote
from services.scheduler.batch_sweep import BatchSweep
from services.scheduler.checkup import make_checkup
from services.scheduler.event_sweep import EventSweep
from services.scheduler.history import History
from services.scheduler.idle_sweep import IdleSweep
from services.scheduler.jobs import JobWatch
from services.scheduler.leader import Leader
from services.scheduler.lost_runners import LostRunners
from services.scheduler.open_webui.sweep import make_mirroring
from services.scheduler.paused import Paused
from services.scheduler.planned import PlannedStatuses
from services.scheduler.proposal_expiry import ProposalExpiry
from services.scheduler.run_sweep import RunSweep
from services.scheduler.session_history import SessionHistory
from services.scheduler.session_sweep import SessionSweep
from services.scheduler.slot_sweep import SlotSweep
from services.scheduler.steadiness import Steadiness
from services.scheduler.streams import Streams
from services.scheduler.sweeper import Sweeper
from services.scheduler.ticket_intake import TicketIntake, patience_seconds
from services.scheduler.timers import Timers
from services.scheduler.upkeep import Upkeep
from shared.admission import Admission, queue_limits
from shared.aftermath import Aftermath
from shared.clock import Clock
from shared.domain.configuration import Configuration
from shared.follow_ups import FollowUps
from shared.messaging.backlog import Backlog
from shared.messaging.broker import make_broker
from shared.messaging.publisher import Publisher
from shared.messaging.traffic import Traffic
from shared.process import Process
from shared.settings import SchedulerSettings
from shared.store.background import BackgroundStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.idleness import IdlenessStore
from shared.store.jobs import JobStore
from shared.store.leases import LeaseStore
from shared.store.lifecycle import LifecycleStore
from shared.store.members import MemberStore
from shared.store.message_counts import MessageCountStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.retention import Retention
from shared.store.runners import RunnerStore
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleStore
from shared.store.server_clock import ServerClock
from shared.store.sessions import SessionStore
from shared.store.slots import SlotStore
from shared.store.tickets import TicketStore
from shared.store.watch import ConfigurationWatch
from shared.supervise import stop, supervised

log = structlog.get_logger()


def make_proposals(settings: SchedulerSettings, mongo: Mongo) -> ProposalStore:
    """Compose the store of proposals, which knows how long they wait."""
    return ProposalStore(mongo, timedelta(seconds=settings.proposal_ttl_seconds))


def make_follow_ups(mongo: Mongo, clock: Clock) -> FollowUps:
    """Compose what comes of the ends of jobs."""
    return FollowUps(SessionStore(mongo.database), JobStore(mongo.database), clock)


def session_work(
    settings: SchedulerSettings, mongo: Mongo, publisher: Publisher, admission: Admission, leader: Leader, clock: Clock
) -> dict[str, Callable[[], Awaitable[None]]]:
    """Compose what watches jobs and sessions."""
    follow_ups, runs = make_follow_ups(mongo, clock), RunStore(mongo.database)
    keep_jobs_for = timedelta(seconds=settings.history_retention_seconds)
    keep_sessions_for = timedelta(seconds=settings.session_retention_seconds)
    jobs, sessions = follow_ups.jobs, follow_ups.sessions
    return {
        "jobs": JobWatch(jobs, EventStore(mongo.database), publisher, leader, clock).run,
        "sessions": SessionSweep(follow_ups, runs, admission, leader, clock).run,
        "session_history": SessionHistory(jobs, sessions, leader, clock, keep_jobs_for, keep_sessions_for).run,
    }


def make_sweeper(
    settings: SchedulerSettings,
    mongo: Mongo,
    client: Client,
    publisher: Publisher,
    configuration: Configuration,
    leader: Leader,
    steadiness: Steadiness,
    clock: Clock,
) -> Sweeper:
    """Compose the sweep."""
    runs, slots = RunStore(mongo.database), SlotStore(mongo.database)
    admission = Admission(slots, runs, publisher, queue_limits(settings), clock)
    paused = Paused(runs, admission, configuration)
    letters, follow_ups = DeadLetterStore(mongo.database), make_follow_ups(mongo, clock)
    aftermath = Aftermath(runs, make_proposals(settings, mongo), letters, follow_ups, admission, publisher)
    return Sweeper(
        events=EventSweep(EventStore(mongo.database), publisher, Backlog(client), clock),
        runs=RunSweep(runs, admission, paused, aftermath, publisher, steadiness, clock),
        batches=BatchSweep(runs, EventStore(mongo.database), admission, publisher, clock),
        slots=SlotSweep(slots, runs, admission, paused),
        streams=Streams(client, settings),
        leader=leader,
        clock=clock,
    )


def make_history(settings: SchedulerSettings, mongo: Mongo, leader: Leader, clock: Clock) -> History:
    """Compose the deletion of what is old."""
    keep_for = timedelta(seconds=settings.history_retention_seconds)
    return History(Retention(mongo.database), TicketStore(mongo.database), leader, clock, keep_for)


def make_ticket_intake(settings: SchedulerSettings, mongo: Mongo, client: Client, leader: Leader) -> TicketIntake:
    """Compose what has tickets follow events."""
    patience = patience_seconds(timedelta(seconds=settings.history_retention_seconds))
    return TicketIntake(TicketStore(mongo.database), Traffic(client).is_light, leader, patience)


def make_timers(
    mongo: Mongo, publisher: Publisher, configuration: Configuration, leader: Leader, clock: Clock
) -> Timers:
    """Compose the timers."""
    return Timers(
        schedules=ScheduleStore(mongo.database),
        members=MemberStore(mongo.database),
        events=EventStore(mongo.database),
        publisher=publisher,
        configuration=configuration,
        leader=leader,
        clock=clock,
    )


def make_idle_sweep(
    mongo: Mongo, publisher: Publisher, configuration: Configuration, leader: Leader, clock: Clock
) -> IdleSweep:
    """Compose the search for idle users."""
    database = mongo.database
    stores = IdlenessStore(database), MemberStore(database), EventStore(database)
    return IdleSweep(*stores, publisher, configuration, leader, clock)


def make_upkeep(
    settings: SchedulerSettings, mongo: Mongo, configuration: Configuration, leader: Leader, clock: Clock
) -> Upkeep:
    """Compose the upkeep of what is remembered of behaviour."""
    database, keep_for = mongo.database, timedelta(seconds=settings.history_retention_seconds)
    stores = IdlenessStore(database), MessageCountStore(database), MemberStore(database)
    return Upkeep(*stores, configuration, leader, clock, keep_for)


def periodic_work(
    settings: SchedulerSettings,
    mongo: Mongo,
    publisher: Publisher,
    watch: ConfigurationWatch,
    leader: Leader,
    clock: Clock,
) -> dict[str, Callable[[], Awaitable[None]]]:
    """Compose what fires schedules, if the setting has it on, and in any case what tells everybody whether it does."""
    is_enabled = settings.operating_background_enabled
    note = BackgroundNote(BackgroundStore(mongo.database), leader, clock, is_enabled)
    if not is_enabled:
        log.warning("timers.disabled", setting="OPERATING_BACKGROUND_ENABLED")
        return {"background": note.run}
    timers = make_timers(mongo, publisher, watch.configuration, leader, clock)
    watch.tell(timers.plan_soon)
    idle = make_idle_sweep(mongo, publisher, watch.configuration, leader, clock)
    return {"background": note.run, "timers": timers.run, "idle": idle.run}


async def run(settings: SchedulerSettings, process: Process) -> None:
    """Serve until the process is asked to stop."""
    mongo = Mongo(settings)
    clock = ServerClock(mongo)
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
        steadiness = Steadiness()
        sweeper = make_sweeper(settings, mongo, client, publisher, watch.configuration, leader, steadiness, clock)
        lost = LostRunners(RunnerStore(mongo.database), sweeper.runs, client, leader, steadiness)
        upkeep = make_upkeep(settings, mongo, watch.configuration, leader, clock)
        watch.tell(upkeep.configuration_changed)
        mirroring = make_mirroring(settings, mongo.database, watch.configuration, leader, clock)
        loops = {
            "clock": clock.run,
            "leader": leader.run,
            "sweeper": lambda: sweeper.run(settings.sweep_interval_seconds),
            "lost_runners": lost.run,
            "checkup": make_checkup(mongo, leader).run,
            "planned_statuses": PlannedStatuses(LifecycleStore(mongo), leader, clock).run,
            "proposal_expiry": ProposalExpiry(make_proposals(settings, mongo), leader, clock).run,
            "history": make_history(settings, mongo, leader, clock).run,
            "tickets": make_ticket_intake(settings, mongo, client, leader).run,
            "upkeep": upkeep.run,
            **session_work(settings, mongo, publisher, sweeper.runs.admission, leader, clock),
            **periodic_work(settings, mongo, publisher, watch, leader, clock),
            **({} if mirroring is None else {"open_webui": mirroring.run}),
        }
        working += [tasks.create_task(supervised(name, loop)) for name, loop in loops.items()]
        await process.serve(client)
        await stop(working)
    await broker.stop()
    mongo.close()
