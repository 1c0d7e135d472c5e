"""Tickets: how each stands, as the product's events told; they outlive those events.

What events tell is taken into account when tickets are read, or else by the scheduler: accepting and deciding an event
does not wait for that.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from collections.abc import Collection as Many
from datetime import datetime

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from contracts.ids import derived_id
from shared.domain.ticket import Ticket, TicketFact
from shared.domain.ticket_facts import latest_facts
from shared.store.merging import in_commands, own_of
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors
from shared.store.ticket_news import TicketNews

INDEXES = [
    IndexModel(
        [("organisation", ASCENDING), ("project", ASCENDING), ("closed", ASCENDING), ("ticket_id", ASCENDING)],
        name="of_project",
    ),
    IndexModel(
        [("organisation", ASCENDING), ("project", ASCENDING), ("changed_at", DESCENDING)], name="latest_of_project"
    ),
    IndexModel([("changed_at", ASCENDING)], name="closed_by_age", partialFilterExpression={"closed": True}),
]

_PAGE = 500
_COMPARED = {
    "ticket_id": 1,
    "data.title": 1,
    "data.description": 1,
    "event_id": 1,
    "opened_at": 1,
    "changed_at": 1,
    "indexed_hash": 1,
}


class TicketStore:
    """The `tickets` collection."""

    def __init__(self, database: Database) -> None:
        self._tickets: Collection = database["tickets"]
        self._news = TicketNews(database)

    async def take_in(self, limit: int, whose: Document | None = None) -> int:
        """Take into account what so many events told since the last time; return how many events that were.

        `whose` is an organisation and a project. Two that do so at once change nothing that one would not.
        """
        news = await self._news.read(whose or {}, limit)
        if news.keys:
            await self.apply(news.facts)
            await self._news.taken(news)
        return len(news.keys)

    async def retry_unreadable(self) -> None:
        """Have the next intake try events again that could not be read, perhaps because a newer release accepted them."""
        await self._news.retry_unreadable()

    async def apply(self, facts: Sequence[TicketFact]) -> None:
        """Write each fact unless a newer one is there; applying one twice, or late, changes nothing."""
        latest = {
            _key(fact.organisation, fact.project, fact.ticket_id): (fact, since) for fact, since in latest_facts(facts)
        }
        known = await self._known(latest)
        new = [key for key in latest if key not in known]
        # A ticket that is new is stored at a third of what changing it costs.
        meanwhile = await insert_new(self._tickets, [_first(key, *latest[key]) for key in new])
        known |= {new[position] for position in meanwhile}
        told = {key: {**_told(fact), "opened_at": since} for key, (fact, since) in latest.items() if key in known}
        for part in in_commands(told):
            with storage_errors():
                written = await self._tickets.update_many({"_id": {"$in": list(part)}}, _changes(part))
            if written.matched_count < len(part):
                # One that had been closed for long was forgotten in between.
                await self.apply(facts)

    async def _known(self, keys: Many[str]) -> set[str]:
        if not keys:
            return set()
        with storage_errors():
            return {each["_id"] async for each in self._tickets.find({"_id": {"$in": list(keys)}}, {"_id": 1})}

    async def _catch_up(self, organisation: str, project: str) -> None:
        while await self.take_in(_PAGE, {"organisation": organisation, "project": project}) == _PAGE:
            pass

    async def latest(self, organisation: str, project: str, limit: int, *, with_closed: bool) -> list[Document]:
        """Return the tickets of a project as their events told, with `closed`, the latest changed first."""
        await self._catch_up(organisation, project)
        query: Document = {"organisation": organisation, "project": project}
        if not with_closed:
            query["closed"] = False
        with storage_errors():
            found = await self._tickets.find(query).sort("changed_at", DESCENDING).limit(limit).to_list(limit)
        return [{**each["data"], "closed": each["closed"]} for each in found]

    async def open_of(self, organisation: str, project: str) -> AsyncIterator[Ticket]:
        """Yield every open ticket of a project, by id; each page is a question of its own."""
        await self._catch_up(organisation, project)
        after = ""
        while True:
            query = {"organisation": organisation, "project": project, "closed": False, "ticket_id": {"$gt": after}}
            with storage_errors():
                cursor = self._tickets.find(query, _COMPARED).sort("ticket_id", ASCENDING).limit(_PAGE)
                page = await cursor.to_list(_PAGE)
            for document in page:
                yield _ticket(document)
            if len(page) < _PAGE:
                return
            after = page[-1]["ticket_id"]

    async def note_indexed(self, organisation: str, project: str, hashes: Mapping[str, str | None]) -> None:
        """Note under which hash each ticket's text can be found by its vector; None when it no longer can."""
        writes = [
            UpdateOne({"_id": _key(organisation, project, ticket_id)}, {"$set": {"indexed_hash": text_hash}})
            for ticket_id, text_hash in hashes.items()
        ]
        if writes:
            with storage_errors():
                await self._tickets.bulk_write(writes, ordered=False)

    async def closed_but_indexed(self, organisation: str, project: str, limit: int) -> dict[str, int]:
        """Return closed tickets that can still be found by their vectors, with their revisions."""
        query = {
            "organisation": organisation,
            "project": project,
            "closed": True,
            "indexed_hash": {"$type": "string"},
        }
        with storage_errors():
            found = await self._tickets.find(query, {"ticket_id": 1, "changed_at": 1}).limit(limit).to_list(limit)
        return {each["ticket_id"]: _revision(each["changed_at"]) for each in found}

    async def delete_closed(self, before: datetime, limit: int) -> int:
        """Forget tickets that were closed before this moment, of so many of the oldest; return how many.

        One that can still be found by its vector stays until the next scan has seen to that.
        """
        closed = {"closed": True, "changed_at": {"$lt": before}, "indexed_hash": {"$not": {"$type": "string"}}}
        with storage_errors():
            found = self._tickets.find(closed, {"_id": 1}).sort("changed_at", ASCENDING).limit(limit)
            ids = [each["_id"] async for each in found]
            return (await self._tickets.delete_many({"_id": {"$in": ids}, **closed})).deleted_count if ids else 0


def _key(organisation: str, project: str, ticket_id: str) -> str:
    return derived_id("tkt", organisation, project, ticket_id)


def _told(fact: TicketFact) -> Document:
    return {"data": dict(fact.data), "closed": fact.is_closed, "event_id": fact.event_id, "changed_at": fact.at}


def _first(key: str, fact: TicketFact, since: datetime) -> Document:
    whose = {"organisation": fact.organisation, "project": fact.project, "ticket_id": fact.ticket_id}
    return {"_id": key, **whose, **_told(fact), "opened_at": since}


def _changes(told: Mapping[str, Document]) -> list[Document]:
    """Return an update that sets in each ticket what is told of it, if that is not older than what is there."""
    newer = {"$cond": [{"$lte": ["$changed_at", "$told.changed_at"]}, "$told", {}]}
    opened = {"opened_at": {"$min": ["$opened_at", "$told.opened_at"]}}
    return [
        {"$set": {"told": own_of(told)}},
        {"$replaceWith": {"$mergeObjects": ["$$ROOT", newer, opened]}},
        {"$unset": "told"},
    ]


def _ticket(document: Document) -> Ticket:
    data = document["data"]
    return Ticket(
        id=document["ticket_id"],
        title=data["title"],
        description=data.get("description") or "",
        event_id=document["event_id"],
        opened_at=document["opened_at"],
        revision=_revision(document["changed_at"]),
        indexed_hash=document.get("indexed_hash"),
    )


def _revision(changed_at: datetime) -> int:
    return int(changed_at.timestamp() * 1_000)
