"""Deletes with age what is finished: runs with all that belongs to them, then events, proposals and replays of no run any more.

Everything is done in small batches along an index, and may be repeated. Before a run goes, whoever names it is told:
the decision of its event and its proposals say that it is retired, so that its absence is never taken for a loss.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import ASCENDING, IndexModel

from shared.domain.dead_letter import DeadLetterStatus
from shared.domain.run import TERMINAL, RunStatus
from shared.store.events import LATEST_FIRST
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.runs import BY_ORGANISATION
from shared.store.ticket_news import TELLS

BY_AGE = "by_age"
REPLAY_INDEXES = [IndexModel([("created_at", ASCENDING)], name=BY_AGE)]
PROPOSAL_INDEXES = [
    IndexModel([("decided_at", ASCENDING)], name="of_no_run", partialFilterExpression={"is_run_retired": True})
]

Batch = list[Document]


@dataclass(frozen=True, slots=True)
class _Walk:
    """A way through a collection from the oldest on: along an index, by a field, fetching only what is needed.

    It goes through one organisation after the other: an index by age alone would cost every event and every run.
    """

    collection: Collection
    index: str
    age: str
    needed: Document


class Retention:
    """What of all collections may go, and how."""

    def __init__(self, database: Database) -> None:
        self._runs: Collection = database["runs"]
        self._events: Collection = database["events"]
        self._proposals: Collection = database["proposals"]
        self._letters: Collection = database["dead_letters"]
        self._replays: Collection = database["replays"]
        self._runners: Collection = database["runners"]
        self._children: Sequence[Collection] = (database["steps"], database["bodies"])

    async def ended_runs(self, before: datetime, size: int) -> AsyncIterator[Batch]:
        """Yield the runs that ended before this moment and from whose end nothing is left to follow.

        Those of one organisation and status after the other, each from the oldest on. A run that has ended changes no more.
        """
        needed = {"event_key": 1, "gathering.events": 1, "status": 1, "parent_id": 1, "batch.round": 1}
        walk = _Walk(self._runs, BY_ORGANISATION, "changed_at", needed)
        for organisation in await _organisations(self._runs):
            for status in sorted(TERMINAL):
                whose = {"organisation": organisation, "status": status, "changed_at": {"$lt": before}}
                async for batch in _batches(walk, {**_ended(before), **whose}, size):
                    yield batch

    async def delete_runs(self, runs: Batch, before: datetime) -> int:
        """Delete these runs with their steps, bodies and decided dead letters; return how many went.

        A failed run stays as long as its dead letter is open, so that it can still be driven again. A batch and its runs
        stay together: these until it has ended as long ago, it until none of them is left.
        """
        with storage_errors():
            open_ = await self._open_letters([run["_id"] for run in runs if run["status"] == RunStatus.FAILED])
            going = [run for run in runs if run["_id"] not in open_]
            going = await self._without_families_that_stay(going, before)
            if not going:
                return 0
            ids = [run["_id"] for run in going]
            await self._retire(ids, sorted({key for run in going for key in _taken(run)}))
            for collection in self._children:
                await collection.delete_many({"run_id": {"$in": ids}})
            deleted = await self._runs.delete_many({"_id": {"$in": ids}, **_ended(before)})
            await self._letters.delete_many({"_id": {"$in": ids}, "status": {"$ne": DeadLetterStatus.OPEN}})
        return deleted.deleted_count

    async def _without_families_that_stay(self, runs: Batch, before: datetime) -> Batch:
        parents = [run["parent_id"] for run in runs if run.get("parent_id")]
        staying = await self._present(self._runs, parents, {"$nor": [_ended(before)]})
        going = [run for run in runs if run.get("parent_id") not in staying]
        batches = [run["_id"] for run in going if run.get("batch")]
        if not batches:
            return going
        left = {"parent_id": {"$in": batches}, "_id": {"$nin": [run["_id"] for run in going]}}
        having = set(await self._runs.distinct("parent_id", left))
        return [run for run in going if run["_id"] not in having]

    async def _retire(self, ids: Sequence[str], event_keys: Sequence[str]) -> None:
        await self._events.update_many(
            {"_id": {"$in": event_keys}, "decisions.run_id": {"$in": ids}},
            {"$set": {"decisions.$[theirs].is_retired": True}},
            array_filters=[{"theirs.run_id": {"$in": ids}}],
        )
        await self._proposals.update_many({"run_id": {"$in": ids}}, {"$set": {"is_run_retired": True}})

    async def old_events(self, before: datetime, size: int) -> AsyncIterator[Batch]:
        """Yield the events that were accepted before this moment and for which nothing is under way.

        Those of one organisation after the other, each from the oldest on.
        """
        at_rest = [{"gated": True, "sweep_at": None}, {"dead_letter": {"$ne": None}}]
        query = {"accepted_at": {"$lt": before}, "$or": at_rest, TELLS: {"$ne": True}}
        walk = _Walk(self._events, LATEST_FIRST, "accepted_at", {"decisions.run_id": 1, "dead_letter": 1})
        for organisation in await _organisations(self._events):
            async for batch in _batches(walk, {"organisation": organisation, **query}, size):
                yield batch

    async def delete_events(self, events: Batch) -> int:
        """Delete those of these events that have no run and no open dead letter; return how many went."""
        with storage_errors():
            runs = await self._present(self._runs, [run_id for each in events for run_id in _runs(each)])
            open_ = await self._open_letters([each["dead_letter"] for each in events if each.get("dead_letter")])
            going = [
                each["_id"] for each in events if each.get("dead_letter") not in open_ and runs.isdisjoint(_runs(each))
            ]
            return (await self._events.delete_many({"_id": {"$in": going}})).deleted_count if going else 0

    async def delete_proposals(self, before: datetime, limit: int) -> int:
        """Delete proposals that were decided before this moment and whose run is gone, up to a limit."""
        query = {"is_run_retired": True, "decided_at": {"$lt": before}}
        with storage_errors():
            old = await self._proposals.find(query, {"_id": 1}).hint("of_no_run").limit(limit).to_list(limit)
            if not old:
                return 0
            return (await self._proposals.delete_many({"_id": {"$in": [each["_id"] for each in old]}})).deleted_count

    async def delete_replays(self, before: datetime, limit: int) -> int:
        """Delete replays that were asked for before this moment and whose runs are gone, of so many of the oldest."""
        query = {"created_at": {"$lt": before}}
        with storage_errors():
            old = await self._replays.find(query, {"_id": 1}).sort("created_at", ASCENDING).limit(limit).to_list(limit)
            ids = {each["_id"] for each in old}
            going = sorted(ids.difference(await self._runs.distinct("replay.id", {"replay.id": {"$in": sorted(ids)}})))
            return (await self._replays.delete_many({"_id": {"$in": going}})).deleted_count if going else 0

    async def forget_runners(self, before: datetime) -> None:
        """Forget runners that have not been heard since this moment."""
        with storage_errors():
            await self._runners.delete_many({"seen_at": {"$lt": before}})

    async def _open_letters(self, ids: Sequence[str]) -> set[str]:
        return await self._present(self._letters, ids, {"status": DeadLetterStatus.OPEN})

    async def _present(self, collection: Collection, ids: Sequence[str], facts: Document | None = None) -> set[str]:
        if not ids:
            return set()
        query = {"_id": {"$in": list(ids)}, **(facts or {})}
        return {document["_id"] async for document in collection.find(query, {"_id": 1})}


def _ended(before: datetime) -> Document:
    return {"finished_at": {"$lt": before}, "status": {"$in": sorted(TERMINAL)}, "sweep_at": None}


def _taken(run: Document) -> list[str]:
    return [run["event_key"], *run.get("gathering", {}).get("events", ())]


def _runs(event: Document) -> list[str]:
    return [each["run_id"] for each in event.get("decisions") or () if each.get("run_id") is not None]


async def _organisations(collection: Collection) -> list[str]:
    with storage_errors():
        return await collection.distinct("organisation")


async def _batches(walk: _Walk, query: Document, size: int) -> AsyncIterator[Batch]:
    """Yield what matches, a batch at a time; what stays is passed over, and not met again."""
    beyond: Document = {}
    last: datetime | None = None
    seen: set[str] = set()
    while True:
        with storage_errors():
            found = walk.collection.find({"$and": [query, beyond]}, {**walk.needed, walk.age: 1}).hint(walk.index)
            batch = await found.sort(walk.age, ASCENDING).limit(size).to_list(size)
        if not batch:
            return
        yield batch
        moment = batch[-1][walk.age]
        of_moment = {each["_id"] for each in batch if each[walk.age] == moment}
        last, seen = moment, seen | of_moment if moment == last else of_moment
        # Those of one moment are told apart by their ids.
        beyond = {walk.age: {"$gte": moment}, "_id": {"$nin": sorted(seen)}}
