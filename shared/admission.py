"""Which queued runs may go to the runners: those that hold a place in every slot they need. The others wait."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.lanes import Lane, Queue
from shared.clock import Clock
from shared.domain.decision import Target
from shared.domain.run import Waiting
from shared.domain.slot import (
    EXPRESS_RUNS,
    LARGE,
    OwnLimits,
    QueueLimits,
    Slot,
    is_large,
    organisation_slot,
    room_to_fill,
    slots_of,
)
from shared.messaging.publisher import Publisher
from shared.settings import QueueSettings
from shared.store.mongo import Document
from shared.store.run_documents import Admitted, Wait, waiting_document
from shared.store.runs import RunStore
from shared.store.slots import Held, SlotStore

_BATCH = 500
_FEW = 16
_GUARDED = 1 / 8
"""How often the least urgent lane goes first, so that it moves while more urgent runs keep coming."""


def queue_limits(settings: QueueSettings) -> QueueLimits:
    """Return what the installation allows."""
    return QueueLimits(settings.organisation_max_open_runs, settings.ai_queue_max_concurrency)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that wants to be dispatched, with the slots that it needs for that."""

    run_id: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Admitted, when it lacks no slot; an express run goes in front of its lane."""

    lacks: Slot | None
    is_express: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """Everything here may be repeated, and done by several processes at once: a place is taken once, by the run's id."""

    slots: SlotStore
    runs: RunStore
    publisher: Publisher
    limits: QueueLimits
    clock: Clock
    chance: Callable[[], float] = random.random

    async def admit(self, candidates: Sequence[Candidate]) -> dict[str, Verdict]:
        """Take the places of each run, the narrowest first; a run that finds one full gives back what it has taken."""
        verdicts = {candidate.run_id: Verdict(None) for candidate in candidates}
        for kind in (Waiting.TARGET, Waiting.AGENT, Waiting.ORGANISATION, Waiting.SERVER):
            wanting = [each for each in candidates if verdicts[each.run_id].lacks is None]
            places = {slot: held.places() for slot, held in (await self._take(kind, wanting)).items()}
            for candidate in wanting:
                slot = next((slot for slot in candidate.slots if slot.kind is kind), None)
                if slot is not None:
                    place = places[slot].get(candidate.run_id)
                    verdicts[candidate.run_id] = _verdict(slot, place, verdicts[candidate.run_id])
        await self._give_back([each for each in candidates if verdicts[each.run_id].lacks is not None])
        return verdicts

    async def leave(self, runs: Sequence[Document]) -> None:
        """Free the places of runs that have ended or wait again, and dispatch runs that waited for them."""
        await self._free((run, run.get("slots", [])) for run in runs)

    async def leave_narrow(self, runs: Iterable[Document]) -> None:
        """Free all places but those in large slots, where one more or less hardly counts; `leave_large` frees these."""
        await self._free((run, [key for key in run.get("slots", []) if key != self._large(run)]) for run in runs)

    async def leave_large(self, runs: Iterable[Document]) -> None:
        """Free the places in large slots: best of many runs together."""
        await self._free((run, [key for key in run.get("slots", []) if key == self._large(run)]) for run in runs)

    def _large(self, run: Document) -> str | None:
        return organisation_slot(run["organisation"]) if self.limits.organisation >= LARGE else None

    async def _free(self, held: Iterable[tuple[Document, Sequence[str]]]) -> None:
        places: dict[str, list[str]] = defaultdict(list)
        for run, keys in held:
            for key in keys:
                places[key].append(run["_id"])
        if places:
            await self.fill(await self.slots.free(places))

    async def fill(self, keys: Iterable[str], *, with_large: bool = True) -> int:
        """Dispatch runs that wait for these slots, as far as there is room; return how many."""
        wanted = list(keys)
        if not wanted:
            return 0
        slots = (await self.slots.load(wanted)).values()
        to_fill = [slot for slot in slots if with_large or not is_large(slot.kind, slot.limit)]
        return sum(await asyncio.gather(*map(self._fill, to_fill)))

    async def release(self, runs: Sequence[Document], *, under: str | None = None) -> int:
        """Let go runs that waited, for whatever it was: admitted ones are dispatched, the others wait for a slot.

        With `under`, they wait for this one and are not due: those that still lack it go on waiting as they are.
        """
        if not runs:
            return 0
        candidates = {run["_id"]: Candidate(run["_id"], self.slots_of(run)) for run in runs}
        verdicts, now = await self.admit(list(candidates.values())), self.clock()
        admitted, waits = [], []
        for run in runs:
            verdict, keys = verdicts[run["_id"]], tuple(slot.key for slot in candidates[run["_id"]].slots)
            if verdict.lacks is None:
                admitted.append(Admitted(run["_id"], run["attempt"], keys, verdict.is_express))
            elif verdict.lacks.key != under:
                waits.append(Wait(run["_id"], run["attempt"], keys, waiting_for(verdict.lacks, now)))
        await asyncio.gather(self.runs.admit(admitted, now), self.runs.wait(waits, now))
        lanes = {run["_id"]: Lane(run["lane"]) for run in runs}
        await self.publisher.dispatch(
            (Queue.of(lanes[each.run_id], is_express=each.is_express), each.run_id) for each in admitted
        )
        return len(admitted)

    def slots_of(self, run: Document) -> tuple[Slot, ...]:
        """Return the slots that a stored run needs, by the limits as they are now."""
        target = Target(run["target"]["type"], run["target"]["id"])
        own = OwnLimits(**(run.get("own_limits") or {}))
        return slots_of(run["organisation"], run["agent_key"], target, Lane(run["lane"]), own, self.limits)

    async def _take(self, kind: Waiting, wanting: Iterable[Candidate]) -> Mapping[Slot, Held]:
        # Two runs may need the same slot with another part of its room kept free.
        by_slot: dict[Slot, list[str]] = defaultdict(list)
        for candidate in wanting:
            for slot in candidate.slots:
                if slot.kind is kind:
                    by_slot[slot].append(candidate.run_id)
        return await self.slots.take_each(by_slot) if by_slot else {}

    async def _give_back(self, refused: Iterable[Candidate]) -> None:
        """Free what runs that were refused had taken before; whoever wants it is found by the next release or sweep."""
        by_key: dict[str, list[str]] = defaultdict(list)
        for candidate in refused:
            for slot in candidate.slots:
                by_key[slot.key].append(candidate.run_id)
        await self.slots.mend(by_key.items(), ())

    async def _fill(self, slot: Held) -> int:
        room = room_to_fill(slot.kind, slot.limit, len(slot.holders))
        is_guarded = self.chance() < _GUARDED
        if room == 0:
            return await self._fill_reserve(slot) if is_guarded else 0
        waiting = await self.runs.waiting_under(slot.key, min(room, _BATCH), least_urgent_first=is_guarded)
        return await self.release(waiting, under=slot.key)

    async def _fill_reserve(self, slot: Held) -> int:
        """Dispatch critical runs that wait, though there is no room for others; they are rare, so it is looked rarely."""
        reserve = slot.limit - len(slot.holders)
        if slot.kind is not Waiting.ORGANISATION or reserve <= 0:
            return 0
        waiting = await self.runs.waiting_under(slot.key, min(reserve, _FEW))
        return await self.release([run for run in waiting if run["lane"] == Lane.CRITICAL], under=slot.key)


def waiting_for(slot: Slot, now: datetime) -> Document:
    """Return what a run waits for that lacks this slot, as it is stored on the run."""
    return waiting_document(slot.kind, now, key=slot.key, detail=slot.label)


def _verdict(slot: Slot, place: int | None, before: Verdict) -> Verdict:
    if place is None:
        return Verdict(slot)
    if slot.kind is Waiting.ORGANISATION:
        return Verdict(None, is_express=place < EXPRESS_RUNS)
    return before
