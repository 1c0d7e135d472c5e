"""Events that tell of tickets and are not taken into account yet: marked when they are accepted, until they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from pymongo import ASCENDING, IndexModel

from contracts.registry import EventRefused, parse_json
from shared.domain.ticket import TicketFact
from shared.domain.ticket_facts import Told, ticket_facts
from shared.store.mongo import Collection, Database, Document, storage_errors

log = structlog.get_logger()

TELLS = "tells_ticket"
UNREADABLE = "unreadable"
_INDEX = "ticket_news"
EVENT_INDEXES = [
    # Only what is still to be taken into account is in it, so it stays small.
    IndexModel(
        [("organisation", ASCENDING), ("project", ASCENDING), ("accepted_at", ASCENDING), ("position", ASCENDING)],
        name=_INDEX,
        partialFilterExpression={TELLS: {"$exists": True}},
    )
]


@dataclass(frozen=True, slots=True)
class News:
    """What some events say, and their keys."""

    facts: Sequence[TicketFact]
    keys: Sequence[str]


class TicketNews:
    """What the `events` collection has to tell of tickets."""

    def __init__(self, database: Database) -> None:
        self._events: Collection = database["events"]

    async def read(self, whose: Document, limit: int) -> News:
        """Return what so many events of a project say, given as organisation and project, or of all; oldest first of each.

        An event that this release cannot read is set aside, so that it hinders no other.
        """
        with storage_errors():
            found = self._events.find({**whose, TELLS: True}, {"json": 1, "accepted_at": 1}).hint(_INDEX)
            events = await found.limit(limit).to_list(limit)
        told: list[Told] = []
        unreadable: dict[str, str] = {}
        for each in events:
            try:
                told.append((parse_json(each["json"].encode()), each["accepted_at"]))
            except EventRefused as error:
                unreadable[each["_id"]] = str(error)
        if unreadable:
            key, error_of_one = next(iter(unreadable.items()))
            log.warning("ticket_news.unreadable", events=len(unreadable), event_key=key, error=error_of_one)
            await self._mark(list(unreadable), {"$set": {TELLS: UNREADABLE}})
        return News(ticket_facts(told), [each["_id"] for each in events])

    async def taken(self, news: News) -> None:
        """Note that this is taken into account."""
        await self._mark(news.keys, {"$unset": {TELLS: ""}})

    async def retry_unreadable(self) -> None:
        """Have what was set aside be read once more: this release may be able to."""
        with storage_errors():
            await self._events.update_many({TELLS: UNREADABLE}, {"$set": {TELLS: True}}, hint=_INDEX)

    async def _mark(self, keys: Sequence[str], change: Document) -> None:
        with storage_errors():
            await self._events.update_many({"_id": {"$in": list(keys)}, TELLS: True}, change)
