"""How tickets stand, whatever becomes of the events that told of them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from shared.domain.event import AcceptedEvent
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from shared.store.tickets import TicketStore
from tests.integration.store.given import accepted
from tests.unit.shared.given import LATER, NOW, a_fact


def told(id: str, type_: str = "ticket.changed", at: datetime = NOW, **data: Any) -> AcceptedEvent:
    """Return the accepted event that tells of ticket T-1 of the project apollo, unless `data` says otherwise."""
    ticket = {"ticket_id": "T-1", "title": "Export", "status": "open", **data}
    return accepted(id, at, type=type_, time=None, projectid="apollo", data=ticket)


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


async def test_whoever_reads_a_project_s_tickets_finds_what_accepted_events_told(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await EventStore(mongo.database).accept([told("1"), told("2", title="Exports"), accepted("3")])

    (ticket,) = await tickets.latest("acme", "apollo", 9, with_closed=False)
    await EventStore(mongo.database).accept([told("4", "ticket.closed", LATER)])

    assert ticket["title"] == "Exports"
    assert [each async for each in tickets.open_of("acme", "apollo")] == []


async def test_an_event_is_taken_in_once(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await EventStore(mongo.database).accept([told(str(number), ticket_id=f"T-{number}") for number in range(5)])

    assert [await tickets.take_in(3) for _ in range(3)] == [3, 2, 0]
    assert len(await tickets.latest("acme", "apollo", 9, with_closed=False)) == 5


async def test_several_take_in_at_once_what_one_would(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    numbers = range(200)
    events = [told(str(n), at=NOW + timedelta(seconds=n), ticket_id=f"T-{n % 7}", title=str(n)) for n in numbers]
    await EventStore(mongo.database).accept(events)

    await asyncio.gather(*(tickets.take_in(50) for _ in range(9)))
    found = [each async for each in tickets.open_of("acme", "apollo")]

    assert sorted(int(each.title) for each in found) == list(numbers[-7:])
    assert sorted(each.opened_at for each in found) == [NOW + timedelta(seconds=n) for n in range(7)]


async def test_an_event_that_this_release_cannot_read_hinders_no_other_and_is_read_by_one_that_can(
    mongo: Mongo,
) -> None:
    tickets, new = TicketStore(mongo.database), told("new")
    await EventStore(mongo.database).accept([new, told("2", ticket_id="T-2")])
    newer = '{"specversion": "1.0", "type": "ticket.changed", "dataversion": "9"}'
    await mongo.database["events"].update_one({"_id": new.key}, {"$set": {"json": newer}})

    assert [each.id async for each in tickets.open_of("acme", "apollo")] == ["T-2"]
    assert await tickets.take_in(9) == 0
    await tickets.retry_unreadable()
    assert await tickets.take_in(9) == 1

    # As a release that knows the version would read it.
    await mongo.database["events"].update_one({"_id": new.key}, {"$set": {"json": new.json}})
    await tickets.retry_unreadable()
    assert [each.id async for each in tickets.open_of("acme", "apollo")] == ["T-1", "T-2"]


async def test_a_change_of_a_ticket_that_is_forgotten_meanwhile_is_kept(mongo: Mongo) -> None:
    tickets = TicketStore(mongo.database)
    await tickets.apply([a_fact(closed=True)])
    writing, write = mongo.database["tickets"], tickets._tickets.update_many

    async def forgotten_before(*arguments: Any, **options: Any) -> Any:
        await writing.delete_many({})
        return await write(*arguments, **options)

    tickets._tickets.update_many = forgotten_before  # type: ignore[method-assign]  # a moment between two commands
    await tickets.apply([a_fact(at=LATER)])

    assert [each.id async for each in tickets.open_of("acme", "apollo")] == ["T-1"]
