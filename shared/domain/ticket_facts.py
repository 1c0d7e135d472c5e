"""Reads from events how tickets stand."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from contracts.envelope import Event
from contracts.tickets import TicketChanged, TicketClosed, TicketOpened
from shared.domain.ticket import TicketFact

TELLING: Final = frozenset({"ticket.opened", "ticket.changed", "ticket.closed"})
"""The types of events that say how a ticket stands."""

Told = tuple[Event, datetime]
"""An event, and when it was accepted."""


def ticket_facts(told: Iterable[Told]) -> list[TicketFact]:
    """Return what the events say about tickets, oldest first and of one moment in their order."""
    return sorted(
        (
            _fact(event, accepted_at)
            for event, accepted_at in told
            if isinstance(event, TicketOpened | TicketChanged | TicketClosed)
        ),
        key=lambda fact: fact.at,
    )


def _fact(event: TicketOpened | TicketChanged | TicketClosed, accepted_at: datetime) -> TicketFact:
    return TicketFact(
        organisation=event.organisationid,
        project=event.projectid,
        ticket_id=event.data.ticket_id,
        data=event.data.model_dump(mode="json", exclude={"changed_fields"}, exclude_unset=True),
        is_closed=isinstance(event, TicketClosed),
        event_id=event.id,
        at=event.time or accepted_at,
    )


def latest_facts(facts: Iterable[TicketFact]) -> list[tuple[TicketFact, datetime]]:
    """Return for each ticket its latest fact, of one moment the last, with the time of its earliest."""
    latest: dict[tuple[str, str, str], tuple[TicketFact, datetime]] = {}
    for fact in facts:
        ticket = fact.organisation, fact.project, fact.ticket_id
        known, since = latest.get(ticket, (fact, fact.at))
        latest[ticket] = (fact if fact.at >= known.at else known), min(since, fact.at)
    return list(latest.values())
