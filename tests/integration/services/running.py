"""A runner's parts on real servers, with handlers that a test writes."""

import asyncio
from collections.abc import Mapping

from contracts.agents import AgentSpec
from services.gating.decide import decide, record
from services.runner.ending import Endings
from services.runner.execution import Claimed, Execution
from services.runner.executions import Executions
from services.runner.intake import Intake
from services.runner.slots import Slots
from services.runner.versions import VersionCache
from services.runner.work import Attempt, Handler
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.domain.configuration import Configuration
from shared.domain.decision import RunDecided
from shared.domain.run import Claim, Done
from shared.messaging.publisher import Publisher
from shared.store.agents import AgentStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore, GatedEvent
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.runs import RunStore
from shared.store.steps import StepStore
from tests.integration.store.given import LEASE_SECONDS, accepted
from tests.unit.shared.given import Document, a_new_run, a_version, an_event, triggered

OWNER = "runner-1"


class Runner:
    """One runner process, without its subscriptions."""

    def __init__(self, mongo: Mongo, publisher: Publisher, handlers: Mapping[str, Handler], slots: int = 4) -> None:
        database = mongo.database
        self.configuration = Configuration()
        self.store = RunStore(database)
        self.events = EventStore(database)
        self.agents = AgentStore(database)
        self.proposals = ProposalStore(mongo)
        self.slots = Slots(slots)
        aftermath = Aftermath(self.store, self.proposals, DeadLetterStore(database), publisher)
        self.endings = Endings(self.store, aftermath, publisher, utc_now)
        self.execution = Execution(handlers, self.configuration, StepStore(database), self.endings, utc_now)
        self.executions = Executions(self.execution, self.endings, self.slots)
        self.intake = Intake(
            runs=self.store,
            events=self.events,
            versions=VersionCache(self.agents),
            executions=self.executions,
            slots=self.slots,
            publisher=publisher,
            owner=OWNER,
            lease_seconds=LEASE_SECONDS,
        )

    async def decide(self, *names: str, spec: AgentSpec | None = None) -> list[str]:
        """Accept and gate an event with each of these ids; return the ids of the runs that they start."""
        spec = spec or triggered("noter", handler="test")
        await self.agents.seed(spec, utc_now())
        self.configuration.replace_agents([a_version(spec)])
        started = []
        for name in names:
            event = an_event(id=name, organisationid="acme", projectid="apollo", userid="ada")
            (decision,) = decide(event, self.configuration)
            assert isinstance(decision, RunDecided)
            await self.events.accept([accepted(name, projectid="apollo", userid="ada")])
            await self.events.record_decisions([GatedEvent(event.key, [record(event.key, decision)])], utc_now())
            run_id = decision.run_id(event.key)
            await self.store.add(
                [a_new_run(run_id, event_key=event.key, event_id=name, target=decision.target, queued_at=utc_now())]
            )
            started.append(run_id)
        return started

    async def claim(self, run_id: str, spec: AgentSpec | None = None) -> Claimed:
        """Claim a run as the intake does."""
        (run,) = await self.store.claim([run_id], OWNER, LEASE_SECONDS)
        events = await self.events.load([run["event_key"]])
        version = a_version(spec or triggered("noter", handler="test"))
        return Claimed(Claim(run_id, run["attempt"], OWNER), run, version, events.get(run["event_key"]))

    async def run_of(self, run_id: str) -> Document:
        """Return a run as it is stored once everything that follows from its end is done."""
        await self.endings.settled()
        return (await self.store.load([run_id]))[run_id]


class Waiting:
    """A handler that says when it was called, and ends when it is let go."""

    def __init__(self) -> None:
        self.under_way: list[str] = []
        self.cancelled: list[str] = []
        self.may_end = asyncio.Event()

    async def __call__(self, attempt: Attempt) -> Done:
        run_id = attempt.claim.run_id
        self.under_way.append(run_id)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled.append(run_id)
            raise
        return Done({"run": run_id})
