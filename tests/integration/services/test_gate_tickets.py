"""Tickets are kept as the events that pass the gate tell."""

from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.tickets import TicketStore
from tests.integration.services.test_gate import a_gate, an_arrival
from tests.unit.shared.given import an_event

TICKET = {"ticket_id": "T-1", "title": "Export", "status": "open"}
WHOSE = {"organisationid": "acme", "projectid": "apollo"}


async def test_tickets_are_taken_from_the_events(mongo: Mongo, publisher: Publisher) -> None:
    opened = an_event("ticket.opened", id="1", data=TICKET, **WHOSE)
    closed = an_event("ticket.closed", id="2", data={**TICKET, "ticket_id": "T-2"}, **WHOSE)

    await a_gate(mongo, publisher).consider([an_arrival(opened), an_arrival(closed)])

    tickets = TicketStore(mongo.database)
    (ticket,) = await tickets.latest("acme", "apollo", 9, with_closed=False)
    assert ticket.items() >= {**TICKET, "closed": False}.items()
    assert len(await tickets.latest("acme", "apollo", 9, with_closed=True)) == 2
