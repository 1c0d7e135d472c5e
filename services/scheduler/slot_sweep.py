"""Keeps the slots true to the runs, so that a crash never leaks a place, and dispatches those that waited for one."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from services.scheduler.paused import Paused
from shared.admission import Admission
from shared.store.mongo import Document
from shared.store.runs import RunStore
from shared.store.slots import Held, SlotStore

log = structlog.get_logger()

_COMPARE_EVERY = timedelta(seconds=5)
_MOST_OPEN = 50_000

Places = set[tuple[str, str]]
"""Pairs of a slot's key and the id of a run."""


class SlotSweep:
    """What differs in two comparisons, seconds apart, is mended: in one it may just be on its way."""

    def __init__(self, slots: SlotStore, runs: RunStore, admission: Admission, paused: Paused) -> None:
        self._slots = slots
        self._runs = runs
        self._admission = admission
        self._paused = paused
        self._compared_at: datetime | None = None
        self._leaked: Places = set()
        self._missing: Places = set()
        self._idle: set[str] = set()

    async def sweep(self, now: datetime) -> None:
        """Dispatch what there is room for; every few seconds compare first.

        Large slots are filled by those who free places in them, several times a second: they are looked at more seldom.
        """
        is_comparing = self._compared_at is None or now - self._compared_at >= _COMPARE_EVERY
        if is_comparing:
            self._compared_at = now
            await self.compare(now)
        await self._admission.fill(await self._slots.wanted(), with_large=is_comparing)

    async def compare(self, now: datetime) -> None:
        """Compare the slots with the runs once."""
        slots = {slot.key: slot for slot in await self._slots.all()}
        open_runs = await self._runs.holding(now, _MOST_OPEN)
        if len(open_runs) < _MOST_OPEN:
            await self._mend(slots.values(), open_runs)
        await self._attend(slots, set(await self._runs.keys_waited_under()))
        if not self._missing:
            # A slot that only seems empty is to be put right first.
            await self._slots.forget_empty()

    async def _mend(self, slots: Iterable[Held], open_runs: Iterable[Document]) -> None:
        taken = {(slot.key, run_id) for slot in slots for run_id in slot.holders}
        rightly = {(key, run["_id"]) for run in open_runs for key in run.get("slots", ())}
        leaked, missing = taken - rightly, rightly - taken
        gone, lacking = leaked & self._leaked, missing & self._missing
        self._leaked, self._missing = leaked - gone, missing - lacking
        await self._slots.mend(_by_key(gone), _by_key(lacking))
        if gone or lacking:
            log.warning("slots.mended", leaked=len(gone), missing=len(lacking))

    async def _attend(self, slots: Mapping[str, Held], waited: set[str]) -> None:
        idle = {key for key in await self._slots.wanted() if key not in waited}
        await self._slots.want(waited & slots.keys(), is_wanted=True)
        await self._slots.want(idle & self._idle, is_wanted=False)
        self._idle = idle
        await self._paused.release(sorted(waited - slots.keys()))


def _by_key(places: Places) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for key, run_id in sorted(places):
        found.setdefault(key, []).append(run_id)
    return list(found.items())
