"""The gateway, composed: HTTP in, status out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from fastapi import FastAPI
from faststream.nats import NatsBroker, NatsMessage

from contracts.subjects import gated_subject
from services.gateway import api_document, problems
from services.gateway.auth import Authenticator
from services.gateway.gate_answers import GateAnswers
from services.gateway.inbox_counts import InboxCounts
from services.gateway.letter_decisions import LetterDecisions
from services.gateway.live_feed import LiveFeed
from services.gateway.metrics import Metrics
from services.gateway.publish import Publishing
from services.gateway.routes import (
    accepted_events,
    agent_actions,
    agent_lifecycle,
    agent_versions,
    agents,
    background_agents,
    batches,
    bindings,
    dead_letters,
    documents,
    effective,
    events,
    explain,
    health,
    heartbeat,
    inbox,
    integrations,
    jobs,
    live_events,
    memory,
    memory_blocks,
    metrics,
    models,
    preview,
    proposal_decisions,
    proposals,
    replays,
    run_actions,
    runs,
    schedules,
    sessions,
    threads,
)
from services.gateway.state import Gateway
from shared.logging import process_instance
from shared.messaging.backlog import Backlog
from shared.messaging.barrier import taken_by_server
from shared.messaging.broker import make_broker
from shared.messaging.publisher import Publisher
from shared.messaging.run_event_stream import RunEventStream
from shared.settings import GatewaySettings
from shared.store.agent_figures import AgentFiguresStore
from shared.store.agent_records import AgentRecords
from shared.store.agents import AgentStore
from shared.store.background import BackgroundStore
from shared.store.bindings import BindingStore
from shared.store.bodies import BodyStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.document_search import DocumentSearch
from shared.store.events import EventStore
from shared.store.inbox import InboxStore
from shared.store.jobs import JobStore
from shared.store.lifecycle import LifecycleStore
from shared.store.members import MemberStore
from shared.store.memory import MemoryStore
from shared.store.memory_history import MemoryHistory
from shared.store.metrics import MetricsStore
from shared.store.mongo import Mongo
from shared.store.open_webui import OpenWebUIStore
from shared.store.proposals import ProposalStore
from shared.store.replays import ReplayStore
from shared.store.runners import RunnerStore
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleStore
from shared.store.server_clock import ServerClock
from shared.store.sessions import SessionStore
from shared.store.steps import StepStore
from shared.store.threads import ThreadStore
from shared.supervise import stop, supervised

log = structlog.get_logger()

ROUTERS = (
    events.router,
    accepted_events.router,
    live_events.router,
    runs.router,
    run_actions.router,
    inbox.router,
    proposals.router,
    proposal_decisions.router,
    memory.router,
    memory_blocks.router,
    documents.router,
    bindings.router,
    agents.router,
    agent_versions.router,
    agent_actions.router,
    batches.router,
    agent_lifecycle.router,
    replays.router,
    heartbeat.router,
    background_agents.router,
    schedules.router,
    jobs.router,
    sessions.router,
    effective.router,
    explain.router,
    preview.router,
    dead_letters.router,
    integrations.router,
    threads.router,
    models.router,
    health.router,
    metrics.router,
)


def create_app(settings: GatewaySettings) -> FastAPI:
    """Build one gateway; it connects when it starts, and starts without NATS."""
    broker = make_broker(settings)
    answers = GateAnswers()
    instance = process_instance()
    subscriber = broker.subscriber(
        gated_subject(instance), decoder=_raw, description="Decisions on events accepted by this process."
    )

    @subscriber
    async def on_gated(message: bytes) -> None:
        answers.take(message)

    gateway = _compose(settings, answers, instance)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        connecting = asyncio.create_task(_connect(broker, gateway))
        timing = asyncio.create_task(supervised("clock", gateway.clock.run))
        following = asyncio.create_task(supervised("live_feed", gateway.live.run))
        log.info("service.started", port=settings.gateway_port)
        try:
            yield
        finally:
            connecting.cancel()
            timing.cancel()
            # Before the connection is drained: what still pulls from a stream would hold it up.
            await stop([following])
            await broker.stop()
            gateway.mongo.close()
            log.info("service.stopped")

    app = FastAPI(
        title="Towpath",
        version="1",
        description="Publish events, follow the runs of background Agents, decide their proposals.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # Looks for providers in the environment three times a request, which is a fifth of what an accept costs.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.gateway = gateway
    problems.install(app)
    api_document.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _compose(settings: GatewaySettings, answers: GateAnswers, instance: str) -> Gateway:
    mongo = Mongo(settings)
    publisher = Publisher()
    event_store, run_store = EventStore(mongo.database), RunStore(mongo.database)
    dead_letter_store = DeadLetterStore(mongo.database)
    return Gateway(
        settings=settings,
        clock=ServerClock(mongo),
        mongo=mongo,
        publisher=publisher,
        authenticator=Authenticator(settings),
        publishing=Publishing(event_store, publisher, answers, instance, settings.gate_wait_seconds),
        events=event_store,
        runs=run_store,
        replays=ReplayStore(mongo),
        steps=StepStore(mongo.database),
        bodies=BodyStore(mongo.database),
        threads=ThreadStore(mongo.database),
        runners=RunnerStore(mongo.database),
        proposals=ProposalStore(mongo),
        inbox=InboxStore(mongo.database),
        inbox_counts=InboxCounts(InboxStore(mongo.database)),
        memory=MemoryStore(mongo.database),
        documents=DocumentSearch(mongo.database),
        memory_history=MemoryHistory(mongo),
        bindings=BindingStore(mongo.database),
        schedules=ScheduleStore(mongo.database),
        agents=AgentStore(mongo.database),
        agent_records=AgentRecords(mongo.database),
        agent_figures=AgentFiguresStore(mongo.database),
        lifecycle=LifecycleStore(mongo),
        members=MemberStore(mongo.database),
        dead_letters=dead_letter_store,
        letter_decisions=LetterDecisions(dead_letter_store, run_store, event_store, publisher),
        live=LiveFeed(RunEventStream()),
        metrics=Metrics(MetricsStore(mongo.database)),
        background=BackgroundStore(mongo.database),
        open_webui=OpenWebUIStore(mongo.database),
        jobs=JobStore(mongo.database),
        sessions=SessionStore(mongo.database),
    )


async def _connect(broker: NatsBroker, gateway: Gateway) -> None:
    """Connect in the background: an accept needs MongoDB only."""
    client = await broker.connect()
    await broker.start()
    # Before anything is published, the server must know where the gate's answers go.
    await taken_by_server(client)
    gateway.publisher.attach(client)
    gateway.live.stream.attach(client)
    gateway.metrics.attach(Backlog(client))


async def _raw(message: NatsMessage) -> bytes:
    """Leave the body as it came; by itself FastStream hands a JSON body over parsed."""
    return message.body
