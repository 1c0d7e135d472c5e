"""Slots kept in memory."""

from collections.abc import Iterable, Mapping, Sequence

from shared.domain.run import Waiting
from shared.domain.slot import Slot
from shared.store.slots import Held, SlotStore
from shared.testing.documents import Document, Documents


class KeptSlots(SlotStore):
    """Does what the real store does, each call at once."""

    def __init__(self) -> None:
        self._kept = Documents()

    async def take(self, slot: Slot, run_ids: Sequence[str]) -> Held:
        """Give as many of these runs a place as there is room for."""
        before = self._kept.get(slot.key) or {"_id": slot.key, "holders": [], "is_wanted": False}
        present = before["holders"]
        new = [each for each in run_ids if each not in present]
        room = max(0, slot.limit - slot.reserve - len(present))
        after = self._kept.change(
            before,
            kind=slot.kind,
            label=slot.label,
            limit=slot.limit,
            holders=present + new[:room],
            is_wanted=before["is_wanted"] or len(new) > room,
        )
        return _held(after)

    async def take_each(self, wanted: Mapping[Slot, Sequence[str]]) -> dict[Slot, Held]:
        """Do `take` for each of these slots."""
        return {slot: await self.take(slot, ids) for slot, ids in wanted.items()}

    async def free(self, places: Mapping[str, Sequence[str]]) -> list[str]:
        """Take these runs off the slots of these keys; return those of the slots that somebody waits for."""
        await self.mend(places.items(), ())
        return [slot["_id"] for slot in self._kept.find({"_id": {"$in": list(places)}}) if slot["is_wanted"]]

    async def load(self, keys: Iterable[str]) -> dict[str, Held]:
        """Return these slots as they are."""
        return {slot["_id"]: _held(slot) for slot in self._kept.find({"_id": {"$in": list(keys)}})}

    async def wanted(self) -> list[str]:
        """Return the keys of the slots that somebody waits for."""
        return [slot["_id"] for slot in self._kept.find({"is_wanted": True})]

    async def all(self) -> list[Held]:
        """Return every slot."""
        return [_held(slot) for slot in self._kept.find({})]

    async def want(self, keys: Iterable[str], *, is_wanted: bool) -> None:
        """Note whether somebody waits for these slots."""
        for slot in self._kept.find({"_id": {"$in": list(keys)}}):
            self._kept.change(slot, is_wanted=is_wanted)

    async def mend(
        self, gone: Iterable[tuple[str, Sequence[str]]], missing: Iterable[tuple[str, Sequence[str]]]
    ) -> None:
        """Take off each slot the runs that do not hold it any more, and put on it those that do."""
        for key, ids in gone:
            if (slot := self._kept.get(key)) is not None:
                self._take_off(slot, ids)
        for key, ids in missing:
            if (slot := self._kept.get(key)) is not None:
                holders = slot["holders"]
                self._kept.change(slot, holders=holders + [each for each in ids if each not in holders])

    async def forget_empty(self) -> None:
        """Remove the slots that nobody holds or waits for."""
        self._kept.remove({"holders": [], "is_wanted": False})

    def _take_off(self, slot: Document, gone: Sequence[str]) -> None:
        self._kept.change(slot, holders=[each for each in slot["holders"] if each not in gone])


def _held(slot: Document) -> Held:
    return Held(slot["_id"], Waiting(slot["kind"]), slot["limit"], tuple(slot["holders"]))
