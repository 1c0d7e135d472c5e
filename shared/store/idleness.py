"""Who is waited for to be idle: one document for each Agent, user and project, with the moment to look at it."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import assert_never

from pymongo import ASCENDING, DeleteOne, IndexModel, UpdateOne

from shared.domain.idleness import Fire, Forget, Idleness, IdleVerdict, Later, Rest
from shared.store.mongo import Collection, Database, Document, storage_errors

INDEXES = [
    # Only who is waited for is in it; most users have been idle for long.
    IndexModel([("due_at", ASCENDING)], name="by_due", sparse=True),
    IndexModel([("firing", ASCENDING)], name="claimed", sparse=True),
]

_FIRED: list[Document] = [
    # What was done since the claim is the next quiet time's beginning, and stays due.
    {"$set": {"due_at": {"$cond": [{"$gt": ["$active_at", "$firing"]}, "$due_at", "$$REMOVE"]}}},
    {"$unset": ["firing"]},
]


class IdlenessStore:
    """The `idleness` collection."""

    def __init__(self, database: Database) -> None:
        self._idleness: Collection = database["idleness"]

    async def note(self, active: Iterable[Idleness]) -> None:
        """Note when users were active and when to look at them; what is older than what is known changes nothing."""
        latest: dict[str, Idleness] = {}
        for each in active:
            known = latest.get(each.id)
            latest[each.id] = each if known is None or known.active_at < each.active_at else known
        if latest:
            with storage_errors():
                await self._idleness.bulk_write([_noting(each) for each in latest.values()], ordered=False)

    async def due(self, now: datetime, limit: int) -> list[Idleness]:
        """Return who is claimed and not fired, whenever due again, and who may be idle by now, longest due first."""
        with storage_errors():
            found = await self._idleness.find({"firing": {"$exists": True}}).limit(limit).to_list(limit)
            room = limit - len(found)
            if room:
                due = self._idleness.find({"due_at": {"$lte": now}, "firing": None}).sort("due_at", ASCENDING)
                found += await due.limit(room).to_list(room)
        return [_idleness_of(document) for document in found]

    async def judge(self, verdicts: Sequence[tuple[Idleness, IdleVerdict]], now: datetime) -> None:
        """Write what is to become of these; those who did something meanwhile stay as they are.

        Who is idle is claimed: from then on it is fired, whatever happens, and it was now.
        """
        writes = [_judging(idleness, verdict, now) for idleness, verdict in verdicts]
        if writes:
            with storage_errors():
                await self._idleness.bulk_write(writes, ordered=False)

    async def claimed(self, ids: Sequence[str]) -> list[Idleness]:
        """Return those of these that are claimed, as whoever was first has claimed them."""
        if not ids:
            return []
        with storage_errors():
            found = self._idleness.find({"_id": {"$in": list(ids)}, "firing": {"$ne": None}})
            return [_idleness_of(document) async for document in found]

    async def fired(self, claimed: Iterable[Idleness]) -> None:
        """Note that the events of these are accepted."""
        writes = [UpdateOne({"_id": each.id, "firing": each.firing}, _FIRED) for each in claimed]
        if writes:
            with storage_errors():
                await self._idleness.bulk_write(writes, ordered=False)

    async def walk(self, size: int) -> AsyncIterator[list[Idleness]]:
        """Yield everybody, a batch at a time."""
        last = ""
        while True:
            with storage_errors():
                found = self._idleness.find({"_id": {"$gt": last}}).sort("_id", ASCENDING).limit(size)
                batch = await found.to_list(size)
            if not batch:
                return
            yield [_idleness_of(document) for document in batch]
            last = batch[-1]["_id"]


def _noting(at: Idleness) -> UpdateOne:
    who = {"agent_key": at.agent_key, "organisation": at.organisation, "project": at.project, "user": at.user}
    is_newer = {"$gt": [at.active_at, "$active_at"]}
    moments = {
        "active_at": {"$max": ["$active_at", at.active_at]},
        "due_at": {"$cond": [is_newer, at.due_at, "$due_at"]},
    }
    # Literals, because an id that begins with a dollar sign would be read as a field's name.
    named = {name: {"$literal": value} for name, value in who.items()}
    return UpdateOne({"_id": at.id}, [{"$set": {**named, **moments}}], upsert=True)


def _judging(idleness: Idleness, verdict: IdleVerdict, now: datetime) -> UpdateOne | DeleteOne:
    as_seen = {"_id": idleness.id, "active_at": idleness.active_at, "firing": idleness.firing}
    match verdict:
        case Forget():
            return DeleteOne(as_seen)
        case Rest():
            return UpdateOne(as_seen, {"$unset": {"due_at": ""}})
        case Later(at=at):
            return UpdateOne(as_seen, {"$set": {"due_at": at}})
        case Fire():
            unclaimed, at = {**as_seen, "firing": None}, idleness.active_at
            return UpdateOne(unclaimed, {"$set": {"firing": at, "fired_for": at, "fired_at": now}})
        case _:
            assert_never(verdict)


def _idleness_of(document: Document) -> Idleness:
    return Idleness(
        agent_key=document["agent_key"],
        organisation=document["organisation"],
        project=document["project"],
        user=document["user"],
        active_at=document["active_at"],
        due_at=document.get("due_at"),
        fired_at=document.get("fired_at"),
        firing=document.get("firing"),
        fired_for=document.get("fired_for"),
    )
