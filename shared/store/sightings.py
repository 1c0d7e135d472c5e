"""Whether a member has an event of some type lately."""

from collections.abc import Collection as Many
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING

from shared.store.mongo import Collection, Database, Document, storage_errors


@dataclass(frozen=True, slots=True)
class Sought:
    """Events of one type of one member."""

    organisation: str
    project: str
    user: str
    type: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """The latest such event."""

    event_key: str
    at: datetime


class SightingStore:
    """What the `events` collection says of members; it never writes."""

    def __init__(self, database: Database) -> None:
        self._events: Collection = database["events"]

    async def latest(self, sought: Many[Sought], since: datetime) -> dict[Sought, Sighting]:
        """Return the latest accepted event for each, of those since this moment."""
        wanted = [
            {"organisation": each.organisation, "user": each.user, "type": each.type, "project": each.project}
            for each in sought
        ]
        who = {name: f"${name}" for name in ("organisation", "project", "user", "type")}
        stages: list[Document] = [
            {"$match": {"$or": [{**each, "accepted_at": {"$gte": since}} for each in wanted]}},
            {"$sort": {"accepted_at": ASCENDING}},
            {"$group": {"_id": who, "key": {"$last": "$_id"}, "at": {"$last": "$accepted_at"}}},
        ]
        with storage_errors():
            found = self._events.aggregate(stages)
            return {Sought(**each["_id"]): Sighting(each["key"], each["at"]) async for each in found}
