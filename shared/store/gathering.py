"""Runs that wait for more events of their target: how one is found, takes events, and is opened.

While it waits, a run has its key in `waiting_for.gathers`, of which there is only one. Whatever ends the wait, a release,
a cancel or its time, replaces `waiting_for` in the same write: from then on the run takes no more, and another may open.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, IndexModel, UpdateOne

from shared.domain.debounce import GATHERED_AT_MOST
from shared.domain.run import Claim, RunStatus
from shared.store.mongo import Collection as MongoCollection
from shared.store.mongo import Document, insert_new, storage_errors
from shared.store.run_documents import NewRun, run_document

INDEXES = [
    IndexModel(
        [("waiting_for.gathers", ASCENDING)],
        name="gathers",
        unique=True,
        partialFilterExpression={"waiting_for.gathers": {"$exists": True}},
    ),
    # Only runs that have gathered are in it: what an event that comes again was taken by.
    IndexModel([("gathering.events", ASCENDING)], name="gathered", sparse=True),
]

Order = tuple[datetime, int]
"""When an event was accepted, and its place among those that were accepted with it."""
Place = tuple[str, str]
"""An event by its key, and the key under which runs may gather it."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Events for the run that gathers under a key, in the order of their acceptance; `of_last` are fields of the last."""

    key: str
    events: tuple[str, ...]
    of_last: Document
    order_of_last: Order
    now: datetime
    until: datetime


def event_fields(event: Document) -> Document:
    """Return what a run says of the event that it works on, read from the event as it is stored."""
    return {
        "event_key": event["_id"],
        "event_id": event["id"],
        "event_type": event["type"],
        "project": event["project"],
        "user": event["user"],
    }


class GatheringRuns:
    """Reads and writes the `runs` collection."""

    _runs: MongoCollection

    async def gathered(self, event_keys: Collection[str]) -> dict[Place, str]:
        """Return which run has taken which of these events; of several the one that was opened first."""
        wanted = list(event_keys)
        shown = {"key": "$gathering.key", "events": {"$setIntersection": ["$gathering.events", wanted]}}
        stages: list[Document] = [
            {"$match": {"gathering.events": {"$in": wanted}}},
            {"$sort": {"queued_at": -1, "_id": -1}},
            {"$project": shown},
        ]
        with storage_errors():
            runs = await self._runs.aggregate(stages).to_list(None)
        return {(event, run["key"]): run["_id"] for run in runs for event in run["events"]}

    async def join(self, joinings: Sequence[Joining]) -> None:
        """Have each of these events taken by the run that gathers under its key, where there is one."""
        writes = [
            UpdateOne({"waiting_for.gathers": each.key, "status": RunStatus.QUEUED, "cancel": None}, _with_events(each))
            for each in joinings
        ]
        if writes:
            with storage_errors():
                await self._runs.bulk_write(writes, ordered=False)

    async def open(self, runs: Sequence[NewRun]) -> list[NewRun]:
        """Queue the runs whose key nobody gathers under and that are not there yet; return those that were."""
        existing = await insert_new(self._runs, [run_document(run) for run in runs])
        return [run for index, run in enumerate(runs) if index not in existing]

    async def work_on(self, claim: Claim, event: Document) -> bool:
        """Have a claimed run work on another of the events that it has taken; return whether the claim stands."""
        held = {"_id": claim.run_id, "attempt": claim.attempt, "owner": claim.owner, "status": RunStatus.RUNNING}
        with storage_errors():
            return (await self._runs.update_one(held, {"$set": event_fields(event)})).matched_count == 1


def _with_events(joining: Joining) -> list[Document]:
    """Return what the events make of the run: a longer wait within its bounds, and the work on the last of all."""
    known = "$gathering.events"
    new = {"$filter": {"input": {"$literal": list(joining.events)}, "cond": {"$not": [{"$in": ["$$this", known]}]}}}
    order = {"$literal": list(joining.order_of_last)}
    is_later = {"$gte": [order, "$gathering.latest"]}
    works_on = {name: _either(is_later, {"$literal": value}, f"${name}") for name, value in joining.of_last.items()}
    taken = {
        **works_on,
        "gathering.latest": _either(is_later, order, "$gathering.latest"),
        "gathering.events": {"$concatArrays": [known, new]},
        "waiting_for.until": {"$min": [joining.until, "$waiting_for.at_latest"]},
    }
    is_full = {"$gte": [{"$size": known}, GATHERED_AT_MOST]}
    closed = {
        "waiting_for.until": _either(is_full, joining.now, "$waiting_for.until"),
        "waiting_for.gathers": _either(is_full, "$$REMOVE", "$waiting_for.gathers"),
    }
    due = {"$min": ["$waiting_for.until", {"$ifNull": ["$queue_expires_at", "$waiting_for.until"]}]}
    return [{"$set": taken}, {"$set": closed}, {"$set": {"sweep_at": due}}]


def _either(condition: Document, then: Any, otherwise: Any) -> Document:
    return {"$cond": [condition, then, otherwise]}
