"""Slots: which open runs hold a place where only so many may be open at a time.

A slot holds the ids of its runs, not a count: taking and freeing a place twice changes nothing, and what a crash left
behind can be told from what is held rightly.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne, WriteConcern
from pymongo.errors import AutoReconnect

from shared.domain.run import Waiting
from shared.domain.slot import Slot
from shared.store.mongo import Collection, Database, Document, storage_errors


@dataclass(frozen=True, slots=True)
class Held:
    """A slot as it is stored; `holders` are in the order in which they came."""

    key: str
    kind: Waiting
    limit: int
    holders: tuple[str, ...]

    def has(self, run_ids: Iterable[str]) -> bool:
        """Return whether all of these runs have a place."""
        return set(self.holders).issuperset(run_ids)

    def places(self) -> dict[str, int]:
        """Return the place of each holder, counted from 0."""
        return {run_id: place for place, run_id in enumerate(self.holders)}


class SlotStore:
    """The `slots` collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Runs are the truth, and the slots are recomputed from them: a write that a failover loses is mended by that.
        self._slots: Collection = database["slots"].with_options(write_concern=WriteConcern(w=1))

    async def take_each(self, wanted: Mapping[Slot, Sequence[str]]) -> dict[Slot, Held]:
        """Do `take` for each of these slots, mostly in two commands, however many slots there are."""
        if len(wanted) == 1:
            return {slot: await self.take(slot, ids) for slot, ids in wanted.items()}
        pushes = [
            UpdateOne(_room_for_all(slot, ids), _push(ids)) for slot, ids in wanted.items() if _may_fit(slot, ids)
        ]
        if pushes:
            with storage_errors():
                await self._slots.bulk_write(pushes, ordered=False)
        held = await self.load({slot.key for slot in wanted})
        taken = {
            slot: found
            for slot, ids in wanted.items()
            if (found := held.get(slot.key)) is not None and found.limit == slot.limit and found.has(ids)
        }
        others = {slot: ids for slot, ids in wanted.items() if slot not in taken}
        some = await asyncio.gather(*(self._take_some(slot, ids) for slot, ids in others.items()))
        return taken | dict(zip(others, some, strict=True))

    async def take(self, slot: Slot, run_ids: Sequence[str]) -> Held:
        """Give as many of these runs a place as there is room for, first come first served; return the slot after it.

        A run that has a place already keeps it. When there was not room for all, the slot counts as wanted.
        """
        return await self._take_all(slot, run_ids) or await self._take_some(slot, run_ids)

    async def _take_all(self, slot: Slot, run_ids: Sequence[str]) -> Held | None:
        """Do it if none has a place and there is room for all: mostly so, and a third of the work for the server."""
        if not _may_fit(slot, run_ids):
            return None
        found = await self._change(_room_for_all(slot, run_ids), _push(run_ids))
        return None if found is None else Held(slot.key, slot.kind, slot.limit, tuple(found["holders"]))

    async def _take_some(self, slot: Slot, run_ids: Sequence[str]) -> Held:
        present = {"$ifNull": ["$holders", []]}
        new = {"$filter": {"input": {"$literal": list(run_ids)}, "cond": {"$not": {"$in": ["$$this", "$$present"]}}}}
        room = {"$subtract": [slot.limit - slot.reserve, {"$size": "$$present"}]}
        let_in = {"$cond": [{"$gt": ["$$room", 0]}, {"$slice": ["$$new", {"$max": [1, "$$room"]}]}, []]}
        holders = {"$concatArrays": ["$$present", let_in]}
        left_out = {"$gt": [{"$size": "$$new"}, {"$max": [0, "$$room"]}]}
        after = _with(
            {"present": present}, _with({"new": new, "room": room}, {"holders": holders, "is_wanted": left_out})
        )
        changes = {
            "kind": slot.kind,
            "label": {"$literal": slot.label},
            "limit": slot.limit,
            "after": after,
        }
        merged = {
            "holders": "$after.holders",
            "is_wanted": {"$or": [{"$ifNull": ["$is_wanted", False]}, "$after.is_wanted"]},
        }
        update: list[Document] = [{"$set": changes}, {"$set": merged}, {"$unset": "after"}]
        found = await self._change({"_id": slot.key}, update, upsert=True)
        return Held(slot.key, slot.kind, slot.limit, tuple(found["holders"]))

    async def _change(self, query: Document, update: Document | list[Document], *, upsert: bool = False) -> Any:
        """Change one slot and return its holders after that, None when none matched.

        As a plain command: of what the driver may repeat the server keeps a copy, a second write. It is repeated here, and
        takes no place twice.
        """
        command = {
            "findAndModify": self._slots.name,
            "query": query,
            "update": update,
            "new": True,
            "fields": {"holders": 1},
            "upsert": upsert,
            "writeConcern": self._slots.write_concern.document,
        }
        with storage_errors():
            try:
                answer = await self._database.command(command)
            except AutoReconnect:
                answer = await self._database.command(command)
        return answer["value"]

    async def free(self, places: Mapping[str, Sequence[str]]) -> list[str]:
        """Take these runs off the slots of these keys; return those of the slots that somebody waits for."""
        await self.mend(places.items(), ())
        with storage_errors():
            wanted = self._slots.find({"_id": {"$in": list(places)}, "is_wanted": True}, {"_id": 1})
            return [slot["_id"] async for slot in wanted]

    async def load(self, keys: Iterable[str]) -> dict[str, Held]:
        """Return these slots as they are."""
        with storage_errors():
            return {slot.key: slot async for slot in self._each({"_id": {"$in": list(keys)}})}

    async def wanted(self) -> list[str]:
        """Return the keys of the slots that somebody waits for."""
        with storage_errors():
            return [slot["_id"] async for slot in self._slots.find({"is_wanted": True}, {"_id": 1})]

    async def all(self) -> list[Held]:
        """Return every slot."""
        with storage_errors():
            return [slot async for slot in self._each({})]

    async def want(self, keys: Iterable[str], *, is_wanted: bool) -> None:
        """Note whether somebody waits for these slots."""
        with storage_errors():
            await self._slots.update_many({"_id": {"$in": list(keys)}}, {"$set": {"is_wanted": is_wanted}})

    async def mend(
        self, gone: Iterable[tuple[str, Sequence[str]]], missing: Iterable[tuple[str, Sequence[str]]]
    ) -> None:
        """Take off each slot the runs that do not hold it any more, and put on it those that do."""
        writes = [UpdateOne({"_id": key}, {"$pull": {"holders": {"$in": list(ids)}}}) for key, ids in gone]
        writes += [UpdateOne({"_id": key}, {"$addToSet": {"holders": {"$each": list(ids)}}}) for key, ids in missing]
        if writes:
            with storage_errors():
                await self._slots.bulk_write(writes, ordered=False)

    async def forget_empty(self) -> None:
        """Remove the slots that nobody holds or waits for."""
        with storage_errors():
            await self._slots.delete_many({"holders": [], "is_wanted": False})

    async def _each(self, query: Document) -> AsyncIterator[Held]:
        async for slot in self._slots.find(query):
            yield Held(slot["_id"], Waiting(slot["kind"]), slot["limit"], tuple(slot["holders"]))


def _may_fit(slot: Slot, run_ids: Sequence[str]) -> bool:
    return 0 < len(run_ids) <= slot.limit - slot.reserve


def _room_for_all(slot: Slot, run_ids: Sequence[str]) -> Document:
    """Return what must hold for all of these runs to get a place: none has one, and there is room for so many."""
    most_before = slot.limit - slot.reserve - len(run_ids)
    return {
        "_id": slot.key,
        "limit": slot.limit,
        f"holders.{most_before}": {"$exists": False},
        "holders": {"$nin": list(run_ids)},
    }


def _push(run_ids: Sequence[str]) -> Document:
    return {"$push": {"holders": {"$each": list(run_ids)}}}


def _with(variables: Document, expression: Document) -> Document:
    return {"$let": {"vars": variables, "in": expression}}
