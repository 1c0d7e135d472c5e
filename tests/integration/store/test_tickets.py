"""How tickets stand, whatever becomes of the events that told of them."""

from datetime import datetime, timedelta
from typing import Any

from shared.domain.ticket import TicketFact
from shared.store.mongo import Mongo
from shared.store.tickets import TicketStore
from tests.unit.shared.given import NOW


def a_fact(
    ticket_id: str = "T-1",
    title: str = "Export",
    at: datetime = NOW,
    *,
    closed: bool = False,
    organisation: str = "acme",
    project: str = "apollo",
    **data: Any,
) -> TicketFact:
    told = {"ticket_id": ticket_id, "title": title, "status": "open", **data}
    return TicketFact(organisation, project, ticket_id, told, closed, f"told {title}", at)


async def test_a_ticket_is_as_its_newest_event_says_in_whatever_order_events_come(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    newer = a_fact(title="Export as $CSV", at=NOW + timedelta(seconds=9), labels=["data"])

    await tickets.apply([newer])
    await tickets.apply([a_fact(), newer])

    (ticket,) = await tickets.latest("acme", "apollo", 9, with_closed=False)
    (compared,) = [each async for each in tickets.open_of("acme", "apollo")]
    assert ticket == {
        "ticket_id": "T-1",
        "title": "Export as $CSV",
        "status": "open",
        "labels": ["data"],
        "closed": False,
    }
    assert (compared.event_id, compared.opened_at) == ("told Export as $CSV", NOW)
    assert compared.revision == int(newer.at.timestamp() * 1_000)


async def test_what_a_newer_event_leaves_out_is_gone(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await tickets.apply([a_fact(priority="high"), a_fact(at=NOW + timedelta(seconds=1))])

    (ticket,) = await tickets.latest("acme", "apollo", 9, with_closed=False)

    assert "priority" not in ticket


async def test_a_ticket_that_was_closed_can_be_opened_again(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await tickets.apply([a_fact(), a_fact(at=NOW + timedelta(seconds=1), closed=True), a_fact("T-2")])
    closed = [each["ticket_id"] for each in await tickets.latest("acme", "apollo", 9, with_closed=False)]
    await tickets.apply([a_fact(at=NOW + timedelta(seconds=2))])

    assert closed == ["T-2"]
    assert [each["ticket_id"] for each in await tickets.latest("acme", "apollo", 9, with_closed=True)] == ["T-1", "T-2"]
    assert [each.id async for each in tickets.open_of("acme", "apollo")] == ["T-1", "T-2"]


async def test_a_project_sees_its_own_tickets_alone(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await tickets.apply([a_fact(), a_fact(organisation="globex"), a_fact(project="gemini")])

    assert len(await tickets.latest("acme", "apollo", 9, with_closed=True)) == 1
    assert len([each async for each in tickets.open_of("acme", "apollo")]) == 1
    await tickets.note_indexed("globex", "apollo", {"T-1": "theirs"})
    assert [each.indexed_hash async for each in tickets.open_of("acme", "apollo")] == [None]


async def test_open_tickets_are_read_page_by_page_each_once(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await tickets.apply([a_fact(f"T-{number}") for number in range(1_001)])

    found = [each.id async for each in tickets.open_of("acme", "apollo")]

    assert len(found) == len(set(found)) == 1_001


async def test_closed_tickets_whose_vectors_are_left_are_found_until_that_is_noted(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await tickets.apply([a_fact()])
    await tickets.note_indexed("acme", "apollo", {"T-1": "hash"})
    assert await tickets.closed_but_indexed("acme", "apollo", 9) == {}

    await tickets.apply([a_fact(at=NOW + timedelta(seconds=1), closed=True)])
    left = await tickets.closed_but_indexed("acme", "apollo", 9)
    await tickets.note_indexed("acme", "apollo", {"T-1": None})

    assert left == {"T-1": int((NOW + timedelta(seconds=1)).timestamp() * 1_000)}
    assert await tickets.closed_but_indexed("acme", "apollo", 9) == {}
