"""What the routes work with, built once by the app."""

from dataclasses import dataclass

from fastapi import Request

from services.gateway.auth import Authenticator, Caller
from services.gateway.inbox_counts import InboxCounts
from services.gateway.letter_decisions import LetterDecisions
from services.gateway.live_feed import LiveFeed
from services.gateway.metrics import Metrics
from services.gateway.publish import Publishing
from shared.messaging.publisher import Publisher
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


@dataclass(frozen=True, slots=True)
class Gateway:
    """The parts of one gateway process."""

    settings: GatewaySettings
    clock: ServerClock
    mongo: Mongo
    publisher: Publisher
    authenticator: Authenticator
    publishing: Publishing
    events: EventStore
    runs: RunStore
    replays: ReplayStore
    steps: StepStore
    bodies: BodyStore
    threads: ThreadStore
    runners: RunnerStore
    proposals: ProposalStore
    inbox: InboxStore
    inbox_counts: InboxCounts
    memory: MemoryStore
    documents: DocumentSearch
    memory_history: MemoryHistory
    bindings: BindingStore
    schedules: ScheduleStore
    agents: AgentStore
    agent_records: AgentRecords
    agent_figures: AgentFiguresStore
    lifecycle: LifecycleStore
    members: MemberStore
    dead_letters: DeadLetterStore
    letter_decisions: LetterDecisions
    live: LiveFeed
    metrics: Metrics
    background: BackgroundStore
    open_webui: OpenWebUIStore
    jobs: JobStore
    sessions: SessionStore


def gateway_of(request: Request) -> Gateway:
    """Return the parts that the app was built with."""
    gateway: Gateway = request.app.state.gateway
    return gateway


async def caller_of(request: Request) -> Caller:
    """Return who sent the request, or raise Unauthenticated."""
    return await gateway_of(request).authenticator.caller(request)
