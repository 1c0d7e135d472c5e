"""A gate, a runner and a scheduler around one database, with sessions and jobs, and a model that a test scripts."""

from collections.abc import Sequence
from typing import Any

from contracts.agents import AgentSpec, CallMode, ModelTier
from contracts.envelope import Event
from services.runner.agents.continuation import Continuations
from services.runner.agents.llm import LlmAgent
from services.runner.agents.model_calls import ModelCalls
from services.runner.agents.tool_calls import ToolCalls
from services.runner.tools.registry import TOOLS
from services.runner.tools.tool import stores_of
from services.scheduler.jobs import JobWatch
from services.scheduler.leader import Leader
from services.scheduler.session_sweep import SessionSweep
from shared.catalog import job_follow_up
from shared.domain.session import session_key
from shared.follow_ups import FollowUps
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.jobs import JobStore
from shared.store.leases import LeaseStore
from shared.store.mongo import Mongo
from shared.store.sessions import SessionStore
from shared.testing.model import ScriptedModel, Step
from tests.integration.services.running import Runner
from tests.integration.services.sweeping import Clock
from tests.integration.services.test_gate import a_gate, an_arrival
from tests.unit.shared.given import Document, a_version, an_event

MODELS = {ModelTier.REASONING: "deep", ModelTier.FAST: "quick"}
WHERE = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"}
AGENT = job_follow_up.AGENT
SESSION = "chat-1"


def said(text: str) -> str:
    """Return an answer of the model that says this."""
    return f'{{"message": "{text}"}}'


def turn_started(id: str = "turn-1", **where: str) -> Event:
    """Return the event that a turn holds the session."""
    data = {"session_id": SESSION, "turn_id": id}
    return an_event("chat.turn_started", id=f"{id}-started", data=data, **{**WHERE, **where})


def turn_completed(id: str = "turn-1", *texts: str, **where: str) -> Event:
    """Return the event that a turn has ended, in which a user said these."""
    messages = [{"role": "user", "text": text} for text in texts or ("Build it.",)]
    data = {"session_id": SESSION, "turn_id": id, "messages": messages}
    return an_event("chat.turn_completed", id=f"{id}-completed", data=data, **{**WHERE, **where})


def job_started(id: str = "job-1", **data: Any) -> Event:
    """Return the event that a job was started."""
    given = {"job_id": id, "session_id": SESSION, "deadline_at": None, **data}
    return an_event("job.started", id=f"{id}-started", data=given, **WHERE)


def job_finished(id: str = "job-1", **data: Any) -> Event:
    """Return the event that a job ended."""
    return an_event("job.finished", id=f"{id}-finished", data={"job_id": id, "session_id": SESSION, **data}, **WHERE)


def session_deleted() -> Event:
    """Return the event that the session is gone."""
    return an_event("session.deleted", id="deleted", data={"session_id": SESSION}, **WHERE)


class Site:
    """What happens is gated at once; what is queued works when a test says so."""

    def __init__(
        self, mongo: Mongo, *steps: Step, agents: Sequence[AgentSpec] = (AGENT,), follow_ups: FollowUps | None = None
    ) -> None:
        database, publisher = mongo.database, Publisher()
        self.clock = Clock()
        self.mongo = mongo
        self.model = ScriptedModel(*steps)
        self.sessions, self.jobs = SessionStore(database), JobStore(database)
        self.continuations = Continuations(self.sessions, self.clock, most_output=200)
        stores = stores_of(database)
        calls = ModelCalls(self.model, 5, CallMode.PLAIN)
        agent = LlmAgent(calls, ToolCalls(TOOLS, stores), MODELS, stores.memory, self.continuations)
        self.follow_ups = follow_ups or FollowUps(self.sessions, self.jobs, self.clock)
        self.runner = Runner(mongo, publisher, {"llm": agent}, follow_ups=self.follow_ups)
        self.gate = a_gate(mongo, publisher, agents=tuple(agents), clock=self.clock)
        self.specs = {spec.key: spec for spec in agents}
        self.runner.configuration.replace_agents([a_version(spec) for spec in agents])
        leader = Leader(LeaseStore(database), "scheduler-1", 3)
        self.watch = JobWatch(self.jobs, EventStore(database), publisher, leader, self.clock)
        self.sweep = SessionSweep(self.follow_ups, self.runner.store, self.runner.admission, leader, self.clock)

    async def happen(self, *events: Event) -> None:
        """Have events accepted and decided, one after the other."""
        for event in events:
            await self.gate.consider([an_arrival(event)])

    async def happen_again(self, event: Event) -> None:
        """Have an event delivered once more."""
        await self.gate.consider([an_arrival(event, is_first=False)])

    async def told(self) -> list[Document]:
        """Have the gate decide what the scheduler has told, as a delivery does; return these events."""
        return await self.mongo.database["events"].find({"json": {"$regex": "/towpath/scheduler"}}).to_list(None)

    async def work(self) -> None:
        """Execute every run that may be claimed, the one that was queued first."""
        free = {"status": "queued", "waiting_for": None}
        while run := await self.mongo.database["runs"].find_one(free, sort=[("queued_at", 1)]):
            claimed = await self.runner.claim(run["_id"], self.specs[run["agent_key"]])
            await self.runner.execution.run(claimed)
            await self.runner.endings.settled()

    async def runs(self) -> list[Document]:
        """Return all runs, the first that was queued first."""
        return await self.mongo.database["runs"].find({}).sort("queued_at").to_list(None)

    async def job(self, id: str = "job-1") -> Document:
        """Return a job."""
        job = await self.mongo.database["jobs"].find_one({"job_id": id})
        assert job is not None
        return job

    async def follow_up(self, id: str = "job-1") -> tuple[str, str | None]:
        """Return what became of a job's end, and the code of it."""
        follow_up = (await self.job(id))["follow_up"]
        return follow_up["status"], follow_up["code"]

    async def messages(self) -> list[Document]:
        """Return what was said in the session, in order."""
        return await self.sessions.messages.latest(session_key("acme", SESSION), 100)

    async def texts(self) -> list[str]:
        """Return the texts of what was said in the session, in order."""
        return [message["text"] for message in await self.messages()]
