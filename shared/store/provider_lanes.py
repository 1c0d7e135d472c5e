"""The lanes to model providers, which all runners share: how fast they may be used, and since when they are closed."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import structlog
from pymongo import WriteConcern
from pymongo.errors import DuplicateKeyError

from shared.clock import Clock
from shared.domain.rate import (
    MINUTE_SECONDS,
    Busy,
    Go,
    LaneState,
    Limits,
    is_limited,
    refused,
    reserve,
    returned,
    taught,
)
from shared.errors import StorageUnavailable
from shared.store.mongo import Collection, Database, Document, storage_errors

log = structlog.get_logger()

_LOOK_EVERY_SECONDS = 0.25
_SAME_SECONDS = 1.0


@dataclass(slots=True)
class _Lane:
    """What this process knows of a lane: its state as it was last seen, and what it did there itself."""

    state: LaneState | None = None
    revision: int = 0
    episode: int = 0
    unused_tokens: int = 0
    calls: deque[float] = field(default_factory=deque)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def has_something_to_teach(self) -> bool:
        """Whether somebody else was refused, and has not heard yet how fast this process was."""
        return self.state is not None and self.state.episode > self.episode

    def note_call(self, now: float) -> None:
        self.calls.append(now)
        self._forget_old_calls(now)

    def calls_per_minute(self, now: float) -> float:
        self._forget_old_calls(now)
        return float(len(self.calls))

    def _forget_old_calls(self, now: float) -> None:
        while self.calls and self.calls[0] <= now - MINUTE_SECONDS:
            self.calls.popleft()


class ProviderLanes:
    """The `provider_lanes` collection, and what this process remembers of it.

    As long as no limits are known and no provider refused a call lately, a call costs no operation: others' refusals
    are seen by `run`, which looks a few times a second. `clock` is the database's, `elapsed` counts seconds.
    """

    def __init__(self, database: Database, limits: Limits, clock: Clock, elapsed: Callable[[], float]) -> None:
        # What a failover forgets is said again by the next refusal; waiting for it to be safe would slow every call.
        self._documents: Collection = database["provider_lanes"].with_options(write_concern=WriteConcern(w=1))
        self._limits = limits
        self._clock = clock
        self._elapsed = elapsed
        self._lanes: dict[str, _Lane] = {}

    async def run(self) -> None:
        """Follow what other processes do until cancelled."""
        while True:
            try:
                await self.look()
            except StorageUnavailable as error:
                log.warning("lanes.lost_sight", error=error.message)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def look(self) -> None:
        """See the lanes that this process uses as they are now, and pass on what is known of them here."""
        if not self._lanes:
            return
        with storage_errors():
            documents = await self._documents.find({"_id": {"$in": list(self._lanes)}}).to_list()
        for document in documents:
            lane = self._lanes[document["_id"]]
            if document["revision"] >= lane.revision:
                _see(lane, document)
        for name, lane in list(self._lanes.items()):
            if lane.unused_tokens or lane.has_something_to_teach:
                await self._change(name, lane, lambda state: state)

    async def reserve(self, name: str, tokens: int, patience_seconds: float) -> Go | Busy:
        """Take the room for a call of about so many tokens, or say for how long there is none."""
        lane, now = self._lane(name), self._clock()
        verdict: Go | Busy = Go()

        def take(state: LaneState) -> LaneState | None:
            nonlocal verdict
            taken, verdict = reserve(state, self._limits, tokens, self._clock(), patience_seconds)
            return taken if isinstance(verdict, Go) else None

        closed_seconds = lane.state.closed_for_seconds(now) if lane.state is not None else 0.0
        if closed_seconds > patience_seconds:
            return Busy(closed_seconds)
        if is_limited(lane.state, self._limits, now):
            await self._change(name, lane, take)
        if isinstance(verdict, Go):
            lane.note_call(self._elapsed())
        return verdict

    def give_back(self, name: str, tokens: int) -> None:
        """Return tokens that were reserved and not used, negative for more than that; it is written a little later."""
        if self._limits.tokens_per_minute:
            self._lane(name).unused_tokens += tokens

    async def refuse(self, name: str, asked_seconds: float | None) -> None:
        """Close the lane for every process because the provider refused a call.

        Calls that were under way together are refused together; those that ask for nothing new change nothing.
        """
        lane, now = self._lane(name), self._clock()
        closed_seconds = lane.state.closed_for_seconds(now) if lane.state is not None else 0.0
        if closed_seconds > 0 and closed_seconds + _SAME_SECONDS >= (asked_seconds or 0.0):
            return
        calls_per_minute = lane.calls_per_minute(self._elapsed())

        def close(state: LaneState) -> LaneState:
            return refused(state, self._limits, self._clock(), asked_seconds, calls_per_minute)

        # Known here at once, and to the others as soon as it is written.
        lane.state = state = close(lane.state or LaneState(now))
        log.warning("lane.closed", lane=name, pace=state.pace, closed_until=str(state.closed_until))
        try:
            async with lane.turn:
                await self._read(name, lane)
            await self._change(name, lane, close)
        except StorageUnavailable as error:
            lane.state = state
            log.warning("lane.closed_here_only", lane=name, error=error.message)

    async def _change(self, name: str, lane: _Lane, change: Callable[[LaneState], LaneState | None]) -> None:
        """Write what becomes of the lane, if anything, from what is there when another process was faster."""
        async with lane.turn:
            while not await self._write(name, lane, change):
                await self._read(name, lane)

    async def _write(self, name: str, lane: _Lane, change: Callable[[LaneState], LaneState | None]) -> bool:
        revision, unused_tokens = lane.revision, lane.unused_tokens
        state = returned(lane.state or LaneState(self._clock()), unused_tokens)
        if lane.has_something_to_teach:
            state = taught(state, lane.calls_per_minute(self._elapsed()))
        changed = change(state)
        if changed is None:
            return True
        if not await self._replace(name, revision, {**asdict(changed), "revision": revision + 1}):
            return False
        lane.state, lane.revision, lane.episode = changed, revision + 1, changed.episode
        lane.unused_tokens -= unused_tokens
        return True

    async def _replace(self, name: str, revision: int, document: Document) -> bool:
        with storage_errors():
            try:
                result = await self._documents.replace_one(
                    {"_id": name, "revision": revision}, document, upsert=revision == 0
                )
            except DuplicateKeyError:
                return False
        return result.matched_count == 1 or result.upserted_id is not None

    async def _read(self, name: str, lane: _Lane) -> None:
        with storage_errors():
            document = await self._documents.find_one({"_id": name})
        _see(lane, document)

    def _lane(self, name: str) -> _Lane:
        return self._lanes.setdefault(name, _Lane())


def _see(lane: _Lane, document: Document | None) -> None:
    if document is None:
        lane.state, lane.revision = None, 0
        return
    known = dict(document)
    del known["_id"]
    lane.revision = known.pop("revision")
    lane.state = LaneState(**known)
