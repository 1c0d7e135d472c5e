"""The world of a case: its event, what happened before, and what is remembered, in an organisation of its own."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.agents import MemoryOwner
from contracts.envelope import Event
from contracts.registry import parse
from infra.evals.case import Block, Case, Ticket
from shared.domain.event import AcceptedEvent, accepted_event
from shared.domain.memory import Owner, block_id
from shared.store.events import EventStore
from shared.store.mongo import Database

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
"""When every case happens: a Friday morning."""
_SOURCE = "/evals"
_TICKETS_SINCE = timedelta(days=9)

Document = dict[str, Any]


def organisation_of(agent: str, case: Case) -> str:
    """Return the organisation in which there is this case and nothing else."""
    return f"{agent}.{case.id}"


def event_of(agent: str, case: Case) -> Event:
    """Return the event of the case; raises ValueError when it does not satisfy its contract."""
    return _event(agent, case, "now", case.event or "", case.data, NOW, case.user)


async def seed(database: Database, cases: Iterable[tuple[str, Case]]) -> None:
    """Store what happened and what is remembered in all of these cases, each with the key of its Agent."""
    listed = list(cases)
    events = [event for agent, case in listed for event in happened(agent, case)]
    if events:
        await EventStore(database).accept(events)
    blocks = [block for agent, case in listed for block in _blocks(agent, case)]
    if blocks:
        await database["memory_blocks"].insert_many(blocks)


def happened(agent: str, case: Case) -> list[AcceptedEvent]:
    """Return the accepted events of the case: its tickets, what happened earlier, and its own at last."""
    return [_accepted(event) for event in (*_tickets(agent, case), *_earlier(agent, case), event_of(agent, case))]


def _tickets(agent: str, case: Case) -> Iterator[Event]:
    for position, ticket in enumerate(case.tickets):
        type_ = "ticket.closed" if ticket.closed else "ticket.opened"
        at = NOW - _TICKETS_SINCE + timedelta(hours=position)
        yield _event(agent, case, f"ticket-{ticket.id}", type_, _ticket(ticket), at, None)


def _earlier(agent: str, case: Case) -> Iterator[Event]:
    for position, event in enumerate(case.earlier):
        at = NOW - timedelta(hours=event.hours_ago)
        yield _event(agent, case, f"earlier-{position}", event.type, event.data, at, event.user or case.user)


def _event(agent: str, case: Case, id: str, type_: str, data: Document, at: datetime, user: str | None) -> Event:
    attributes = {"projectid": case.project, "userid": user}
    return parse(
        {
            "specversion": "1.0",
            "id": id,
            "source": _SOURCE,
            "type": type_,
            "time": at.isoformat(),
            "organisationid": organisation_of(agent, case),
            **{name: value for name, value in attributes.items() if value},
            "data": data,
        }
    )


def _ticket(ticket: Ticket) -> Document:
    told = ticket.model_dump(exclude={"id", "closed"}, exclude_none=True)
    return {"ticket_id": ticket.id, **told, "labels": list(ticket.labels)}


def _accepted(event: Event) -> AcceptedEvent:
    return accepted_event(event, event.to_json().decode(), event.time or NOW)


def _blocks(agent: str, case: Case) -> Iterator[Document]:
    for block in case.memory:
        owner = _owner(block, case)
        if owner is not None:
            organisation = organisation_of(agent, case)
            yield {
                "_id": block_id(organisation, owner, block.label),
                "organisation": organisation,
                "owner": {"type": owner.type, "id": owner.id},
                "label": block.label,
                "fields": block.fields,
                "version": 1,
                "updated_at": NOW - _TICKETS_SINCE,
                "updated_by": owner.id,
            }


def _owner(block: Block, case: Case) -> Owner | None:
    owner_id = case.user if block.owner is MemoryOwner.USER else case.project
    return Owner(block.owner, owner_id) if owner_id else None
