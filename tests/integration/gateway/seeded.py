"""Something of every kind, so that every question to the gateway has an answer."""

from datetime import timedelta

from contracts.agents import IntervalSchedule, MemoryOwner, Scope
from contracts.registry import parse
from services.gateway.routes.events import EXAMPLE
from shared.clock import utc_now
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.dead_letter import DeadLetter, DeadLetterKind
from shared.domain.decide import decide, record
from shared.domain.event import accepted_event
from shared.domain.memory import Owner
from shared.domain.projection import proposals_of
from shared.domain.replaying import NewReplay
from shared.domain.run import RunStatus, Waiting
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore
from shared.store.dead_letters import DeadLetterStore
from shared.store.events import EventStore, GatedEvent
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.memory import Author, MemoryBlock, MemoryStore
from shared.store.mongo import Mongo
from shared.store.proposals import ProposalStore
from shared.store.replays import ReplayStore
from shared.store.run_documents import waiting_document
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.unit.shared.given import (
    a_memory_effect,
    a_new_run,
    a_stored_run,
    a_ticket_effect,
    a_version,
    triggered,
)

AGENT = triggered("noter", priority_level="low", schedule_trigger={"target": {"type": "day", "id": "{data.date}"}})
COMPLETED, FAILED, QUEUED = "run_1", "run_2", "run_3"


async def seed(mongo: Mongo) -> dict[str, list[str]]:
    """Put something of every kind into the organisation acme; return ids by the names that parameters have."""
    database, now = mongo.database, utc_now()
    agents = AgentStore(database)
    await agents.publish(AGENT, "tests", now)
    runs = [
        a_stored_run(RunStatus.COMPLETED, a_new_run(COMPLETED), effects=[a_memory_effect(0), a_ticket_effect(1)]),
        a_stored_run(RunStatus.FAILED, a_new_run(FAILED)),
        a_stored_run(run=a_new_run(QUEUED), waiting_for=waiting_document(Waiting.PAUSED, now)),
    ]
    await database["runs"].insert_many([{**run, "changed_at": now} for run in runs])
    replay = await _replay(mongo)
    proposals = proposals_of(runs[0])
    await ProposalStore(mongo).project(proposals)
    message = DeadLetter(
        "dead_1", DeadLetterKind.EVENT, "event_unreadable", "It is not JSON.", now, organisation="acme",
        subject="event.doc.created.acme", payload=b"\xff no event",
    )  # fmt: skip
    failure = DeadLetter(
        FAILED, DeadLetterKind.RUN, "model_refused", "It declined.", now, run_id=FAILED, organisation="acme",
        agent_key="noter", event_key="ev_1",
    )  # fmt: skip
    await DeadLetterStore(database).keep([message, failure])
    event_key = await _decided_event(mongo)
    await BindingStore(database).put(Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=True))
    member = Member("acme", "apollo", "ada", "Europe/Berlin")
    await MemberStore(database).apply([MembershipChange(member, is_member=True, at=now)])
    fired = ScheduleInForce("noter", member, IntervalSchedule(every_seconds=900), now, now, fired_for=now)
    await ScheduleStore(database).put([fired], [])
    return {
        "run_id": [COMPLETED, FAILED, QUEUED],
        "proposal_id": [proposal["_id"] for proposal in proposals],
        "letter_id": ["dead_1", FAILED],
        "event_key": [event_key],
        "replay_id": [replay],
        "block_id": [await _block(mongo)],
    }


async def _replay(mongo: Mongo) -> str:
    """Store a replay of all runs that may be replayed."""
    replays = ReplayStore(mongo)
    new = NewReplay("acme", "noter", "noter", 1, "noter:1", None, "request-1", "hash", "olga", utc_now())
    return str((await replays.start(new, AGENT, await replays.originals("acme", "noter", None, None, None)))["_id"])


async def _block(mongo: Mongo) -> str:
    """Write a memory block."""
    empty = MemoryBlock("acme", Owner(MemoryOwner.USER, "ada"), "preferences", {}, 0)
    memory, author = MemoryStore(mongo.database), Author("ada")
    await mongo.transaction(lambda within: memory.write(within, empty, {"tea": "green"}, author, utc_now()))
    return empty.id


async def _decided_event(mongo: Mongo) -> str:
    """Store the event that the document gives as its example, with its decisions, so that it is answered with them."""
    now = utc_now() - timedelta(minutes=1)
    event = parse({**EXAMPLE, "organisationid": "acme"})
    configuration = Configuration()
    configuration.replace_agents([a_version(AGENT)])
    decisions = [record(event.key, decision) for decision in decide(event, configuration, now)]
    events = EventStore(mongo.database)
    await events.accept([accepted_event(event, event.to_json().decode(), now)])
    await events.record_decisions([GatedEvent(event.key, decisions)], now)
    return event.key
