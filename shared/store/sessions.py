"""Sessions: whose chat it is, which turns of it are open, and what was said, each message in a place of its own.

A place is taken in the session's document first, under the id of whatever the messages come from, and is found there
again when a crash or a second delivery repeats it. So messages are written once, and those of a turn stand together.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne

from shared.domain.session import session_key
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors
from shared.store.session_messages import SessionMessages

INDEXES = [IndexModel([("changed_at", ASCENDING)], name="by_age")]

_MOST_OPEN = 20
_REMEMBERED = 100
"""So many turns that have ended, and places that were taken, a session remembers."""


@dataclass(frozen=True, slots=True)
class Whose:
    """A session, and the user whose it is to whoever writes into it; nobody else's session is touched."""

    organisation: str
    user: str
    session_id: str
    project: str | None = None

    @property
    def key(self) -> str:
        return session_key(self.organisation, self.session_id)

    def present(self) -> Document:
        """Return what the session must be to be written into."""
        return {"_id": self.key, "user": self.user, "deleted_at": None}


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of a session, which holds it until it ends or its time is over."""

    whose: Whose
    id: str
    until: datetime


class SessionStore:
    """The collections `sessions` and `session_messages`. Everything may be repeated."""

    def __init__(self, database: Database) -> None:
        self._sessions: Collection = database["sessions"]
        self.messages = SessionMessages(database)

    async def keep(self, sessions: Iterable[Whose], now: datetime) -> None:
        """Make the sessions that are not there yet; one that was deleted stays so."""
        new = {each.key: each for each in sessions}
        await insert_new(self._sessions, [_document(each, now) for each in new.values()])

    async def load(self, keys: Iterable[str]) -> dict[str, Document]:
        """Return sessions by their keys, deleted ones as well."""
        with storage_errors():
            return {each["_id"]: each async for each in self._sessions.find({"_id": {"$in": list(keys)}})}

    async def begin(self, turns: Iterable[Turn], now: datetime) -> None:
        """Open turns; one that has ended already, because its end came first, stays ended."""
        await self._write([UpdateOne(turn.whose.present(), _opening(turn, now)) for turn in turns])

    async def complete(self, turns: Iterable[Turn], now: datetime) -> None:
        """End turns, whether or not their beginning has come yet."""
        await self._write([UpdateOne(turn.whose.present(), _ending(turn, now)) for turn in turns])

    async def take_places(self, whose: Whose, origin: str, count: int, now: datetime) -> int | None:
        """Return the position of the first of some messages; None when there is no such session any more."""
        await self._write([UpdateOne(whose.present(), _placing(origin, count, now))])
        return await self._position(whose.key, origin)

    async def take_free_place(self, whose: Whose, origin: str, now: datetime) -> int | None:
        """Return the position of one message of somebody who may not interrupt; None while a turn is open, or for ever."""
        is_free = {"open_turns": {"$not": {"$elemMatch": {"until": {"$gt": now}}}}}
        await self._write([UpdateOne({**whose.present(), **is_free}, _placing(origin, 1, now))])
        return await self._position(whose.key, origin)

    async def delete(self, whose: Whose, now: datetime) -> bool:
        """Delete a session with its messages, for good; return whether it is deleted now, whoever did it."""
        with storage_errors():
            gone = {"deleted_at": now, "changed_at": now, "open_turns": [], "places": []}
            await self._sessions.update_one(whose.present(), {"$set": gone})
            deleted = await self._sessions.count_documents(
                {"_id": whose.key, "user": whose.user, "deleted_at": {"$ne": None}}, limit=1
            )
        if deleted:
            await self.messages.delete(whose.key)
        return bool(deleted)

    async def delete_old(self, before: datetime, limit: int) -> int:
        """Forget sessions that nobody has written to since this moment, up to a limit; return how many."""
        old = {"changed_at": {"$lt": before}}
        with storage_errors():
            found = await self._sessions.find(old, {"_id": 1}).sort("changed_at", ASCENDING).limit(limit).to_list(limit)
            for each in found:
                await self.messages.delete(each["_id"])
            ids = [each["_id"] for each in found]
            return (await self._sessions.delete_many({"_id": {"$in": ids}, **old})).deleted_count if ids else 0

    async def _position(self, key: str, origin: str) -> int | None:
        with storage_errors():
            session = await self._sessions.find_one({"_id": key, "deleted_at": None}, {"places": 1})
        places: Sequence[Mapping[str, Any]] = () if session is None else session["places"]
        return next((place["position"] for place in places if place["origin"] == origin), None)

    async def _write(self, writes: Sequence[UpdateOne]) -> None:
        if writes:
            with storage_errors():
                await self._sessions.bulk_write(list(writes))


def _document(whose: Whose, now: datetime) -> Document:
    return {
        "_id": whose.key,
        "session_id": whose.session_id,
        "organisation": whose.organisation,
        "project": whose.project,
        "user": whose.user,
        "created_at": now,
        "changed_at": now,
        "deleted_at": None,
        "open_turns": [],
        "ended_turns": [],
        "places": [],
        "length": 0,
    }


# Ids are literals, because one that begins with a dollar sign would be read as a field's name.


def _opening(turn: Turn, now: datetime) -> list[Document]:
    known = {"$in": [{"$literal": turn.id}, {"$concatArrays": ["$ended_turns", "$open_turns.id"]}]}
    opened = {"id": {"$literal": turn.id}, "since": now, "until": turn.until}
    return [{"$set": {"open_turns": _added("open_turns", opened, known, _MOST_OPEN), "changed_at": now}}]


def _ending(turn: Turn, now: datetime) -> list[Document]:
    id_ = {"$literal": turn.id}
    others = {"$filter": {"input": "$open_turns", "cond": {"$ne": ["$$this.id", id_]}}}
    ended = _added("ended_turns", id_, {"$in": [id_, "$ended_turns"]}, _REMEMBERED)
    return [{"$set": {"open_turns": others, "ended_turns": ended, "changed_at": now}}]


def _placing(origin: str, count: int, now: datetime) -> list[Document]:
    known = {"$in": [{"$literal": origin}, "$places.origin"]}
    place = {"origin": {"$literal": origin}, "position": "$length"}
    length = {"$cond": [known, "$length", {"$add": ["$length", count]}]}
    return [{"$set": {"places": _added("places", place, known, _REMEMBERED), "length": length, "changed_at": now}}]


def _added(field: str, item: Any, is_known: Document, most: int) -> Document:
    """Return a list with one more item at its end, unless it is known, and with no more than the latest `most`."""
    return {"$cond": [is_known, f"${field}", {"$slice": [{"$concatArrays": [f"${field}", [item]]}, -most]}]}
