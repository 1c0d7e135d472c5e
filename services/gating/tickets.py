"""Reads from events how tickets stand."""

from collections.abc import Iterable
from datetime import datetime

from contracts.envelope import Event
from contracts.tickets import TicketChanged, TicketClosed, TicketOpened
from shared.domain.ticket import TicketFact


def ticket_facts(events: Iterable[Event], now: datetime) -> list[TicketFact]:
    """Return what the events say about tickets, oldest first and of one moment in their order."""
    facts = [_fact(event, now) for event in events if isinstance(event, TicketOpened | TicketChanged | TicketClosed)]
    return sorted(facts, key=lambda fact: fact.at)


def _fact(event: TicketOpened | TicketChanged | TicketClosed, now: datetime) -> TicketFact:
    return TicketFact(
        organisation=event.organisationid,
        project=event.projectid,
        ticket_id=event.data.ticket_id,
        data=event.data.model_dump(mode="json", exclude={"changed_fields"}, exclude_unset=True),
        is_closed=isinstance(event, TicketClosed),
        event_id=event.id,
        at=event.time or now,
    )
