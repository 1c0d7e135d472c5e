"""How many messages were counted for whom: one document for each Agent and user, or session of a user."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, DeleteOne, ReturnDocument

from shared.domain.counting import Subject, Tally
from shared.store.mongo import Collection, Database, Document, storage_errors

_FEWEST_KEYS = 100
"""So many messages are remembered at least, so that one that is delivered again is known."""


@dataclass(frozen=True, slots=True)
class Counted:
    """For whom something was counted, and when it was last."""

    subject: Subject
    updated_at: datetime


class MessageCountStore:
    """The `message_counts` collection."""

    def __init__(self, database: Database) -> None:
        self._counts: Collection = database["message_counts"]

    async def count(self, subject: Subject, keys: Sequence[str], row: int, now: datetime) -> Tally:
        """Count the events with these keys, those that were counted before not again; return what was counted.

        When `row`, the length of a row, has changed, a row begins with these.
        """
        with storage_errors():
            document: Document = await self._counts.find_one_and_update(
                {"_id": subject.id},
                _counting(subject, keys, row, now),
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        return Tally(document["count"], document["base"], document["total"], document["keys"])

    async def walk(self, size: int) -> AsyncIterator[list[Counted]]:
        """Yield everything that is counted, a batch at a time."""
        last = ""
        while True:
            with storage_errors():
                found = self._counts.find({"_id": {"$gt": last}}, {"keys": 0}).sort("_id", ASCENDING).limit(size)
                batch = await found.to_list(size)
            if not batch:
                return
            yield [_counted_of(document) for document in batch]
            last = batch[-1]["_id"]

    async def forget(self, counted: Sequence[Counted]) -> None:
        """Delete these, unless they were counted on meanwhile."""
        writes = [DeleteOne({"_id": each.subject.id, "updated_at": each.updated_at}) for each in counted]
        if writes:
            with storage_errors():
                await self._counts.bulk_write(writes, ordered=False)


def _counting(subject: Subject, keys: Sequence[str], row: int, now: datetime) -> list[Mapping[str, Any]]:
    """Return the change: what is remembered are two rows, so whoever counts again finds what was counted."""
    known = {"$ifNull": ["$keys", []]}
    who = {
        "agent_key": subject.agent_key,
        "organisation": subject.organisation,
        "project": subject.project,
        "user": subject.user,
        "session": subject.session,
    }
    fresh = {"$filter": {"input": {"$literal": list(keys)}, "cond": {"$not": {"$in": ["$$this", known]}}}}
    is_same_row = {"$eq": [{"$ifNull": ["$count", row]}, row]}
    remembered = max(2 * row, _FEWEST_KEYS) + len(keys)
    return [
        # Literals, because an id that begins with a dollar sign would be read as a field's name.
        {"$set": {name: {"$literal": value} for name, value in who.items()}},
        {"$set": {"fresh": fresh, "base": {"$cond": [is_same_row, {"$ifNull": ["$base", 0]}, "$total"]}}},
        {
            "$set": {
                "total": {"$add": [{"$ifNull": ["$total", 0]}, {"$size": "$fresh"}]},
                "keys": {"$slice": [{"$concatArrays": [known, "$fresh"]}, -remembered]},
                "count": row,
                "updated_at": now,
            }
        },
        {"$unset": ["fresh"]},
    ]


def _counted_of(document: Document) -> Counted:
    names = ("agent_key", "organisation", "project", "user", "session")
    return Counted(Subject(*(document[name] for name in names)), document["updated_at"])
