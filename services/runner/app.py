"""A runner, composed: takes dispatched runs from every lane, executes them, keeps their leases, hands them back."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta

from faststream.nats import NatsBroker, NatsMessage
from nats.aio.msg import Msg

from contracts.agents import ModelTier
from contracts.lanes import QUEUES, Queue
from contracts.streams import runner_consumer
from contracts.subjects import cancel_subject
from services.runner.abandon import Abandonment
from services.runner.agents.continuation import Continuations
from services.runner.agents.docs import DocsAgent
from services.runner.agents.llm import LlmAgent
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.noop import noop
from services.runner.agents.pause import pause
from services.runner.agents.queries import QueriesAgent
from services.runner.agents.ticket_scan.handler import TicketScan, make_ticket_scan
from services.runner.agents.ticket_scan.judging import Judge
from services.runner.agents.tool_calls import ToolCalls
from services.runner.documents import Documents, paced
from services.runner.documents import documents as documents_of
from services.runner.ending import Endings
from services.runner.execution import Execution
from services.runner.executions import Executions
from services.runner.heartbeat import Heartbeat, Pulse
from services.runner.intake import Intake
from services.runner.slots import Slots
from services.runner.tools.registry import TOOLS
from services.runner.tools.tool import Stores, stores_of
from services.runner.tools.web import Web
from services.runner.tools.web_tools import web_tools
from services.runner.versions import VersionCache
from services.runner.work import Handler
from shared.admission import Admission, queue_limits
from shared.aftermath import Aftermath
from shared.clock import Clock
from shared.domain.rate import Limits
from shared.follow_ups import FollowUps
from shared.llm.openai_client import OpenAIModel
from shared.llm.paced import PacedModel
from shared.llm.port import ModelClient
from shared.messaging.broker import EagerBatchSubscriber, make_broker, on_batches
from shared.messaging.cancelling import claims_of
from shared.messaging.publisher import Publisher
from shared.process import Process
from shared.settings import RunnerSettings
from shared.store.agents import AgentStore
from shared.store.bodies import BodyStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore
from shared.store.jobs import JobStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.provider_lanes import ProviderLanes
from shared.store.runners import RunnerStore
from shared.store.runs import RunStore
from shared.store.server_clock import ServerClock
from shared.store.sessions import SessionStore
from shared.store.slots import SlotStore
from shared.store.steps import StepStore
from shared.store.watch import ConfigurationWatch
from shared.supervise import stop, supervised


def handlers(
    settings: RunnerSettings,
    model: ModelClient,
    stores: Stores,
    documents: Documents,
    continuations: Continuations,
    web: Web | None = None,
) -> Mapping[str, Handler]:
    """Return every handler that an Agent version may name."""
    more = (documents.tool, *(web_tools(web) if web else ()))
    tools = {**TOOLS, **{tool.spec.name: tool for tool in more}}
    models = {
        ModelTier.REASONING: settings.openai_reasoning_model,
        ModelTier.FAST: settings.openai_fast_model,
    }
    model_calls = ModelCalls(model, settings.model_call_timeout_seconds, settings.call_mode)
    tool_calls = ToolCalls(tools, stores)
    agent = LlmAgent(model_calls, tool_calls, models, stores.memory, continuations)
    return {
        "llm": agent,
        "docs": DocsAgent(documents.indexing, agent),
        "queries": QueriesAgent(model_calls, tool_calls, models, stores.memory, stores.events),
        "ticket_scan": ticket_scan(Judge(model_calls, models), stores, documents),
        "noop": noop,
        "pause": pause,
    }


def ticket_scan(judge: Judge, stores: Stores, documents: Documents) -> TicketScan:
    """Return what scans tickets with these documents."""
    return make_ticket_scan(
        judge, stores.tickets, stores.pairs, documents.retrieval, documents.embedder, documents.timeout_seconds
    )


def web_access(settings: RunnerSettings, clock: Clock) -> Web | None:
    """Return the access to the web, if the runner has a key for it."""
    key = settings.exa_api_key.get_secret_value().strip()
    return Web(key, settings.exa_base_url, clock) if key else None


def subscribe(broker: NatsBroker, intake: Intake, slots: Slots) -> list[EagerBatchSubscriber]:
    """Have the intake take runs from every queue."""
    return [_subscribe_queue(broker, queue, intake, slots) for queue in QUEUES]


def _subscribe_queue(broker: NatsBroker, queue: Queue, intake: Intake, slots: Slots) -> EagerBatchSubscriber:
    async def on_dispatched(messages: list[Msg]) -> None:
        await intake.take(queue, messages)

    async def wanted() -> int:
        return await slots.wanted(queue)

    description = f"Dispatched runs of the queue {queue}."
    return on_batches(broker, runner_consumer(queue), on_dispatched, wanted=wanted, description=description)


def subscribe_to_cancels(broker: NatsBroker, instance: str, executions: Executions) -> None:
    """Have runs end at once when somebody wants them to; the heartbeat finds those that this does not tell of."""
    subscriber = broker.subscriber(
        cancel_subject(instance), decoder=_body, description="Runs of this process that are to end."
    )

    @subscriber
    async def on_cancel(message: bytes) -> None:
        for claim in claims_of(message, instance):
            executions.cancel(claim)


async def _body(message: NatsMessage) -> bytes:
    """Leave the body as it came; by itself FastStream hands a JSON body over parsed."""
    return message.body


async def run(settings: RunnerSettings, process: Process) -> None:
    """Serve until the process is asked to stop, then finish or hand back what is under way."""
    mongo = Mongo(settings)
    clock = ServerClock(mongo)
    broker = make_broker(settings)
    publisher = Publisher()
    provider = OpenAIModel(settings.openai_api_key.get_secret_value(), settings.openai_base_url, clock)
    limits = Limits(settings.model_requests_per_minute, settings.model_tokens_per_minute)
    lanes = ProviderLanes(mongo.database, limits, clock, time.monotonic)
    model = PacedModel(provider, lanes, provider.host)
    web = web_access(settings, clock)
    stores = stores_of(mongo.database)
    documents = documents_of(settings, mongo, paced(settings, provider, lanes), clock)
    watch = ConfigurationWatch(mongo.database)
    runs, steps = RunStore(mongo.database), StepStore(mongo.database)
    admission = Admission(SlotStore(mongo.database), runs, publisher, queue_limits(settings), clock)
    proposals = ProposalStore(mongo, timedelta(seconds=settings.proposal_ttl_seconds))
    sessions = SessionStore(mongo.database)
    follow_ups = FollowUps(sessions, JobStore(mongo.database), clock)
    aftermath = Aftermath(runs, proposals, DeadLetterStore(mongo.database), follow_ups, admission, publisher)
    continuations = Continuations(sessions, clock, settings.job_output_characters)
    endings = Endings(runs, BodyStore(mongo.database), aftermath, publisher, clock)
    slots = Slots(settings.runner_slots, settings.runner_express_slots)
    execution = Execution(
        handlers=handlers(settings, model, stores, documents, continuations, web),
        configuration=watch.configuration,
        steps=steps,
        endings=endings,
        abandon=Abandonment(steps, model),
        clock=clock,
    )
    executions = Executions(execution, endings, slots)
    intake = Intake(
        runs=runs,
        events=EventStore(mongo.database),
        versions=VersionCache(AgentStore(mongo.database)),
        executions=executions,
        slots=slots,
        publisher=publisher,
        owner=process.instance,
        lease_seconds=settings.lease_seconds,
        clock=clock,
    )
    heartbeat = Heartbeat(runs, process.instance, settings.lease_seconds, executions)
    pulse = Pulse(RunnerStore(mongo.database), process.instance)
    queues = subscribe(broker, intake, slots)
    subscribe_to_cancels(broker, process.instance, executions)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(supervised("watch", watch.run))
        await watch.is_loaded.wait()
        publisher.attach(await broker.connect())
        beating = tasks.create_task(supervised("heartbeat", lambda: heartbeat.run(settings.heartbeat_seconds)))
        timing = tasks.create_task(supervised("clock", clock.run))
        pulsing = tasks.create_task(supervised("pulse", pulse.run))
        pacing = tasks.create_task(supervised("lanes", lanes.run))
        await broker.start()
        await process.serve(await broker.connect())
        slots.close()
        await asyncio.gather(*(queue.stop() for queue in queues))
        await executions.drain(settings.runner_drain_seconds)
        await stop([beating, pacing, pulsing, timing, watching])
        await pulse.end()
        await broker.stop()
    await model.close()
    if web is not None:
        await web.close()
    mongo.close()
