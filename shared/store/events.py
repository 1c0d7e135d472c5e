"""Events as accepted, with the decisions that the gate recorded on them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from shared.domain.event import AcceptedEvent
from shared.domain.ticket_facts import TELLING
from shared.store.merging import in_commands, merge_by_id
from shared.store.mongo import Collection, Database, Document, insert_new, storage_errors
from shared.store.ticket_news import TELLS
from shared.store.transaction import Transaction

LATEST_FIRST = "latest_first"
INDEXES = [
    # Every event pays for each of these: what it costs to store one is mostly that.
    IndexModel([("organisation", ASCENDING), ("accepted_at", DESCENDING), ("_id", DESCENDING)], name=LATEST_FIRST),
    # The history of one user, whatever all others did meanwhile.
    IndexModel(
        [("organisation", ASCENDING), ("user", ASCENDING), ("accepted_at", DESCENDING)],
        name="of_user",
        partialFilterExpression={"user": {"$gt": ""}},
    ),
    # Only what still has to be looked after is in it, so it stays small.
    IndexModel([("sweep_at", ASCENDING)], name="to_sweep", sparse=True),
]

SWEEP_AFTER = timedelta(seconds=3)
_WORTH_A_COMMAND = 32
"""So many events that are written alike are worth a command of their own beside that for the others."""

Decisions = list[dict[str, Any]]
"""What the gate recorded for one event, as it is stored and answered."""


def _document(event: AcceptedEvent, decisions: Decisions | None) -> Document:
    """Return the event as it is stored; what is indexed comes first, since the server looks for it with every write."""
    document: Document = {
        "_id": event.key,
        "organisation": event.organisation,
        "accepted_at": event.accepted_at,
        "user": event.user,
        "sweep_at": event.accepted_at + SWEEP_AFTER,
        "project": event.project,
        "position": event.position,
        "gated": False,
        "id": event.id,
        "type": event.type,
        "content_hash": event.content_hash,
        "json": event.json,
    }
    if event.type in TELLING:
        document[TELLS] = True
    if decisions is not None:
        del document["sweep_at"]
        document |= {"gated": True, "gated_at": event.accepted_at, "decisions": decisions}
    return document


class Acceptance(StrEnum):
    """What storing an event came to."""

    STORED = "stored"
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class GatedEvent:
    """What the gate recorded for one event."""

    key: str
    decisions: Decisions


def _unmatched(decided: Mapping[str, Decisions]) -> frozenset[str]:
    """Return the events without any decision, if they are worth a command or are all there is."""
    unmatched = frozenset(key for key, decisions in decided.items() if not decisions)
    return unmatched if len(unmatched) >= min(_WORTH_A_COMMAND, len(decided)) else frozenset()


class EventStore:
    """The `events` collection."""

    def __init__(self, database: Database) -> None:
        self._events: Collection = database["events"]

    async def accept(
        self, events: list[AcceptedEvent], decided: Mapping[str, Decisions] = MappingProxyType({})
    ) -> list[Acceptance]:
        """Store the events that are new; an id that is taken is the SAME event or a DIFFERENT one.

        `decided` are the decisions that are recorded with new ones, by key: only such as start no run.
        """
        known = await insert_new(self._events, [_document(event, decided.get(event.key)) for event in events])
        if not known:
            return [Acceptance.STORED] * len(events)
        hashes = await self._content_hashes([events[index].key for index in known])
        return [
            Acceptance.STORED
            if index not in known
            else Acceptance.SAME
            if hashes.get(event.key) == event.content_hash
            else Acceptance.DIFFERENT
            for index, event in enumerate(events)
        ]

    async def _content_hashes(self, keys: list[str]) -> dict[str, str]:
        with storage_errors():
            cursor = self._events.find({"_id": {"$in": keys}}, {"content_hash": 1})
            return {document["_id"]: document["content_hash"] async for document in cursor}

    def accept_within(self, within: Transaction, event: AcceptedEvent) -> None:
        """Store an event that is new, in the transaction that makes it true."""
        within["events"].insert_one(_document(event, None))

    async def record_decisions(
        self, gated: Sequence[GatedEvent], now: datetime, *, are_runs_stored: bool = False
    ) -> bool:
        """Write the decisions of each event that has none yet; return whether every one was such an event.

        An event that starts runs stays due for the sweep until it is noted that these are stored, unless they are.
        """
        decided = {event.key: event.decisions for event in gated}
        alike = _unmatched(decided)
        own = {key: {"decisions": decisions} for key, decisions in decided.items() if key not in alike}
        matched = await self._record_none(alike, now) if alike else 0
        matched += await self._record(own, now, are_runs_stored=are_runs_stored) if own else 0
        return matched == len(decided)

    async def _record_none(self, keys: frozenset[str], now: datetime) -> int:
        """Note that no Agent matches these, which is a fifth less work for the server than to each its own."""
        noted = {"gated": True, "gated_at": now, "decisions": []}
        change = {"$set": noted, "$unset": {"sweep_at": "", "dead_letter": ""}}
        with storage_errors():
            return (await self._events.update_many({"_id": {"$in": list(keys)}, "gated": False}, change)).matched_count

    async def _record(self, decided: Mapping[str, Document], now: datetime, *, are_runs_stored: bool) -> int:
        matched = 0
        for part in in_commands(decided):
            query = {"_id": {"$in": list(part)}, "gated": False}
            # What was set aside is not due for the sweep, and has to be.
            starts = {"$and": [not are_runs_stored, {"$in": ["run", "$decisions.outcome"]}]}
            due = {"$cond": [starts, {"$ifNull": ["$sweep_at", now]}, "$$REMOVE"]}
            noted = {"gated": True, "gated_at": now, "sweep_at": due}
            changes = [merge_by_id(part), {"$set": noted}, {"$unset": ["dead_letter"]}]
            with storage_errors():
                matched += (await self._events.update_many(query, changes)).matched_count
        return matched

    async def settle(self, keys: Iterable[str]) -> None:
        """Note that the runs of these decided events are stored."""
        with storage_errors():
            await self._events.update_many({"_id": {"$in": list(keys)}, "gated": True}, {"$unset": {"sweep_at": ""}})

    async def decisions(self, keys: Iterable[str]) -> dict[str, Decisions]:
        """Return the recorded decisions of those events that were gated."""
        with storage_errors():
            cursor = self._events.find({"_id": {"$in": list(keys)}, "gated": True}, {"decisions": 1})
            return {document["_id"]: document["decisions"] async for document in cursor}

    async def orders(self, keys: Iterable[str]) -> dict[str, tuple[datetime, int]]:
        """Return when each of these events was accepted, and its place among those that were accepted with it."""
        with storage_errors():
            cursor = self._events.find({"_id": {"$in": list(keys)}}, {"accepted_at": 1, "position": 1})
            return {each["_id"]: (each["accepted_at"], each.get("position", 0)) async for each in cursor}

    async def load(self, keys: Iterable[str]) -> dict[str, Document]:
        """Return the events as they are stored."""
        wanted = list(keys)
        if not wanted:
            return {}
        with storage_errors():
            cursor = self._events.find({"_id": {"$in": wanted}})
            return {document["_id"]: document async for document in cursor}

    async def accepted_at(self, keys: Iterable[str]) -> dict[str, datetime]:
        """Return when each of the events that are stored was accepted."""
        with storage_errors():
            found = self._events.find({"_id": {"$in": list(keys)}}, {"accepted_at": 1})
            return {document["_id"]: document["accepted_at"] async for document in found}

    async def known(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that are stored."""
        with storage_errors():
            return {document["_id"] async for document in self._events.find({"_id": {"$in": list(keys)}}, {"_id": 1})}

    async def recent(self, query: Document, limit: int) -> list[Document]:
        """Return accepted events that match, latest first."""
        with storage_errors():
            return await self._events.find(query).sort("accepted_at", DESCENDING).limit(limit).to_list(limit)

    async def page(self, query: Document, limit: int) -> list[Document]:
        """Return accepted events that match, latest first and of one moment by key, without their content."""
        order = [("accepted_at", DESCENDING), ("_id", DESCENDING)]
        with storage_errors():
            return await self._events.find(query, {"json": 0}).sort(order).limit(limit).to_list(limit)

    async def latest_with_id(self, organisation: str, id: str, among: int) -> Document | None:
        """Return the latest event with this id of whatever source, looked for among so many of the latest."""
        stages: list[Document] = [
            {"$match": {"organisation": organisation}},
            {"$sort": {"accepted_at": -1}},
            {"$limit": among},
            {"$match": {"id": id}},
            {"$limit": 1},
        ]
        with storage_errors():
            return next(iter(await self._events.aggregate(stages).to_list(1)), None)

    async def due_for_sweep(self, now: datetime, limit: int) -> list[Document]:
        """Return events that were accepted a while ago and have no decisions, oldest first."""
        with storage_errors():
            cursor = self._events.find({"sweep_at": {"$lte": now}}).sort("sweep_at", ASCENDING).limit(limit)
            return await cursor.to_list(limit)

    async def sweep_all_at(self, moment: datetime) -> None:
        """Have every event without decisions looked at from this moment."""
        with storage_errors():
            await self._events.update_many({"sweep_at": {"$gt": moment}}, {"$set": {"sweep_at": moment}})

    async def sweep_again_at(self, moments: Iterable[tuple[str, datetime]]) -> None:
        """Set when each event that is still due for the sweep is to be looked at next."""
        writes = [
            UpdateOne({"_id": key, "sweep_at": {"$exists": True}}, {"$set": {"sweep_at": moment}})
            for key, moment in moments
        ]
        if writes:
            with storage_errors():
                await self._events.bulk_write(writes, ordered=False)

    def set_aside(self, within: Transaction, key: str, letter_id: str) -> None:
        """Leave an event that the gate is not done with to its dead letter: the sweep does not publish it any more.

        In the transaction that keeps the letter: whoever redrives it finds the event set aside.
        """
        aside = {"$set": {"dead_letter": letter_id}, "$unset": {"sweep_at": ""}}
        within["events"].update_one({"_id": key, "sweep_at": {"$exists": True}}, aside)

    async def take_up_again(self, keys: Sequence[str], now: datetime) -> None:
        """Have events that were set aside published again by the sweep, so that the gate looks at them once more."""
        aside = {"_id": {"$in": list(keys)}, "dead_letter": {"$exists": True}}
        with storage_errors():
            await self._events.update_many(aside, {"$set": {"sweep_at": now}, "$unset": {"dead_letter": ""}})
