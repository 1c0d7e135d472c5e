"""A runner's parts on real servers, with handlers that a test writes."""

import asyncio
from collections.abc import Mapping

from contracts.agents import AgentSpec
from services.runner.ending import Endings
from services.runner.execution import Claimed, Execution
from services.runner.executions import Executions
from services.runner.intake import Intake
from services.runner.slots import Slots
from services.runner.versions import VersionCache
from services.runner.work import Attempt, Handler
from shared.admission import Admission
from shared.aftermath import Aftermath
from shared.clock import utc_now
from shared.domain.configuration import Configuration
from shared.domain.decide import decide, record
from shared.domain.decision import RunDecided
from shared.domain.run import Claim, Done, Usage
from shared.domain.slot import QueueLimits
from shared.follow_ups import FollowUps
from shared.messaging.publisher import Publisher
from shared.store.agents import AgentStore
from shared.store.bodies import BodyStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore, GatedEvent
from shared.store.jobs import JobStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.run_documents import Admitted
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from shared.store.sessions import SessionStore
from shared.store.slots import SlotStore
from shared.store.steps import StepStore
from tests.integration.store.given import LEASE_SECONDS, accepted
from tests.unit.shared.given import NOW, Document, a_new_run, a_version, an_event, triggered

OWNER = "runner-1"


class Runner:
    """One runner process, without its subscriptions."""

    def __init__(
        self,
        mongo: Mongo,
        publisher: Publisher,
        handlers: Mapping[str, Handler],
        slots: int = 4,
        follow_ups: FollowUps | None = None,
    ) -> None:
        database = mongo.database
        self.configuration = Configuration()
        self.store = RunStore(database)
        self.events = EventStore(database)
        self.agents = AgentStore(database)
        self.proposals = ProposalStore(mongo)
        self.slots = Slots(slots)
        self.abandoned: list[str] = []
        self.left_behind = Usage()
        limits = QueueLimits(organisation=512)
        self.admission = Admission(SlotStore(database), self.store, publisher, limits, utc_now)
        self.follow_ups = follow_ups or FollowUps(SessionStore(database), JobStore(database), utc_now)
        letters = DeadLetterStore(database)
        self.aftermath = Aftermath(self.store, self.proposals, letters, self.follow_ups, self.admission, publisher)
        self.endings = Endings(self.store, BodyStore(database), self.aftermath, publisher, utc_now)
        self.execution = Execution(
            handlers, self.configuration, StepStore(database), self.endings, self.abandon, utc_now
        )
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
            clock=utc_now,
        )

    async def abandon(self, run_id: str) -> Usage:
        """Note that what a run has left open at the provider was given up."""
        self.abandoned.append(run_id)
        return self.left_behind

    async def decide(self, *names: str, spec: AgentSpec | None = None) -> list[str]:
        """Accept and gate an event with each of these ids; return the ids of the runs that they start."""
        spec = spec or triggered("noter", handler="test")
        await self.agents.seed(spec, utc_now())
        self.configuration.replace_agents([a_version(spec)])
        started = []
        for name in names:
            event = an_event(id=name, organisationid="acme", projectid="apollo", userid="ada")
            (decision,) = decide(event, self.configuration, NOW)
            assert isinstance(decision, RunDecided)
            await self.events.accept([accepted(name, projectid="apollo", userid="ada")])
            await self.events.record_decisions([GatedEvent(event.key, [record(event.key, decision)])], utc_now())
            run_id = decision.run_id(event.key)
            run = a_new_run(
                run_id,
                event_key=event.key,
                event_id=name,
                target=decision.target,
                queued_at=utc_now(),
                queue_timeout_seconds=spec.queue_timeout_seconds,
                run_timeout_seconds=spec.run_timeout_seconds,
            )
            await self.store.add([run])
            started.append(run_id)
        return started

    async def claim(self, run_id: str, spec: AgentSpec | None = None) -> Claimed:
        """Claim a run as the intake does."""
        (run,) = await self.store.claim([run_id], OWNER, LEASE_SECONDS)
        events = await self.events.load([run["event_key"]])
        version = a_version(spec or triggered("noter", handler="test"))
        return Claimed(Claim(run_id, run["attempt"], OWNER), run, version, events.get(run["event_key"]))

    async def let_go(self, run_id: str) -> None:
        """Let a run that waits be claimed, as the sweep does when it is due."""
        run = await self.run_of(run_id)
        await self.store.admit([Admitted(run_id, run["attempt"], (), is_express=False)], utc_now())

    async def cancel(self, run_id: str) -> list[Claim]:
        """Ask for the end of a run; return the claims that their runners are to be told of."""
        result = await self.store.cancel({"_id": run_id}, Cancel("olga", utc_now()))
        return list(result.cancelling)

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
