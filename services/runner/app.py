"""A runner, composed: takes dispatched runs from every lane, executes them, keeps their leases, hands them back."""

import asyncio
from collections.abc import Mapping

from faststream.nats import NatsBroker
from nats.aio.msg import Msg

from contracts.agents import ModelTier
from contracts.lanes import ORDER, Lane
from contracts.streams import runner_consumer
from services.runner.agents.llm import LlmAgent
from services.runner.agents.noop import noop
from services.runner.ending import Endings
from services.runner.execution import Execution
from services.runner.executions import Executions
from services.runner.heartbeat import Heartbeat, Pulse
from services.runner.intake import Intake
from services.runner.slots import Slots
from services.runner.versions import VersionCache
from services.runner.work import Handler
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.llm.openai_client import OpenAIModel
from shared.llm.port import ModelClient
from shared.messaging.broker import EagerBatchSubscriber, make_broker, on_batches
from shared.messaging.publisher import Publisher
from shared.process import Process
from shared.settings import RunnerSettings
from shared.store.agents import AgentStore
from shared.store.events import EventStore
from shared.store.memory import MemoryStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.runners import RunnerStore
from shared.store.runs import RunStore
from shared.store.steps import StepStore
from shared.store.watch import ConfigurationWatch
from shared.supervise import stop, supervised


def handlers(settings: RunnerSettings, model: ModelClient, memory: MemoryStore) -> Mapping[str, Handler]:
    """Return every handler that an Agent version may name."""
    models = {
        ModelTier.REASONING: settings.openai_reasoning_model,
        ModelTier.FAST: settings.openai_fast_model,
    }
    return {
        "llm": LlmAgent(model, models, memory, settings.model_call_timeout_seconds),
        "noop": noop,
    }


def subscribe(broker: NatsBroker, intake: Intake, slots: Slots) -> list[EagerBatchSubscriber]:
    """Have the intake take runs from every lane."""
    return [_subscribe_lane(broker, lane, intake, slots) for lane in ORDER]


def _subscribe_lane(broker: NatsBroker, lane: Lane, intake: Intake, slots: Slots) -> EagerBatchSubscriber:
    async def on_dispatched(messages: list[Msg]) -> None:
        await intake.take(lane, messages)

    async def wanted() -> int:
        return slots.wanted()

    description = f"Dispatched runs of the {lane} lane."
    return on_batches(broker, runner_consumer(lane), on_dispatched, wanted=wanted, description=description)


async def run(settings: RunnerSettings, process: Process) -> None:
    """Serve until the process is asked to stop, then finish or hand back what is under way."""
    mongo = Mongo(settings)
    broker = make_broker(settings)
    publisher = Publisher()
    model = OpenAIModel(settings.openai_api_key.get_secret_value(), settings.openai_base_url, utc_now)
    watch = ConfigurationWatch(mongo.database)
    runs = RunStore(mongo.database)
    endings = Endings(runs, Aftermath(runs, ProposalStore(mongo), publisher), publisher, utc_now)
    slots = Slots(settings.runner_slots)
    execution = Execution(
        handlers=handlers(settings, model, MemoryStore(mongo.database)),
        configuration=watch.configuration,
        steps=StepStore(mongo.database),
        endings=endings,
        clock=utc_now,
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
    )
    heartbeat = Heartbeat(runs, process.instance, settings.lease_seconds, executions.claims, executions.stop_lost)
    pulse = Pulse(RunnerStore(mongo.database), process.instance)
    lanes = subscribe(broker, intake, slots)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(supervised("watch", watch.run))
        await watch.is_loaded.wait()
        publisher.attach(await broker.connect())
        beating = tasks.create_task(supervised("heartbeat", lambda: heartbeat.run(settings.heartbeat_seconds)))
        pulsing = tasks.create_task(supervised("pulse", pulse.run))
        await broker.start()
        await process.serve(await broker.connect())
        slots.close()
        await asyncio.gather(*(lane.stop() for lane in lanes))
        await executions.drain(settings.runner_drain_seconds)
        await stop([beating, pulsing, watching])
        await pulse.end()
        await broker.stop()
    await model.close()
    mongo.close()
