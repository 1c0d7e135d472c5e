"""Vectors held in this process, a table for each project that is searched, kept fresh from MongoDB."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from shared.clock import Clock
from shared.domain.document import Filters, Neighbour
from shared.retrieval.table import Block, Table, block_of
from shared.store.document_search import DocumentSearch, State
from shared.store.documents import Place

log = structlog.get_logger()

_LEAST_BYTES = 1_000
"""What a project without vectors counts as, so that any number of those is bounded, too."""


@dataclass(slots=True)
class _Held:
    """A project's table, and until when its changes have been read."""

    table: Table = field(default_factory=lambda: Table({}))
    read_until: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class LocalVectors:
    """Tables of the projects searched last, together at most `most_bytes`, or the one of the last project alone.

    `clock` is the database's, as those who write have it.
    """

    def __init__(self, search: DocumentSearch, space: str | None, most_bytes: int, clock: Clock) -> None:
        self._search = search
        self._space = space
        self._most_bytes = most_bytes
        self._clock = clock
        self._held: OrderedDict[Place, _Held] = OrderedDict()

    @property
    def held(self) -> Sequence[Place]:
        """The projects whose tables are in memory, the one that was searched last at the end."""
        return list(self._held)

    async def nearest(self, place: Place, vector: bytes, limit: int, filters: Filters) -> Sequence[str]:
        """Return the keys of the nearest chunks, the nearest first."""
        table = await self._fresh(place)
        return await asyncio.to_thread(table.nearest, vector, limit, filters)

    async def neighbours(
        self, place: Place, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Return the nearest others of each document."""
        table = await self._fresh(place)
        keys = [place.key(kind, id_) for id_ in document_ids]
        return await asyncio.to_thread(table.neighbours, kind, keys, limit)

    async def _fresh(self, place: Place) -> Table:
        held = self._held.setdefault(place, _Held())
        self._held.move_to_end(place)
        async with held.lock:
            await self._refresh(place, held)
        self._forget_oldest()
        return held.table

    async def _refresh(self, place: Place, held: _Held) -> None:
        """Read what has changed since the last time; a change that is known already is not read again."""
        began_at = self._clock()
        states = await self._search.changed(place, held.read_until)
        blocks = held.table.blocks
        news = [each for each in states if _version(blocks, each) != (0 if each.is_removed else each.version)]
        if news:
            blocks = await self._read(place, blocks, news, is_first=held.read_until is None)
            held.table = await asyncio.to_thread(Table, blocks)
            log.debug("index.refreshed", **_named(place), documents=len(news), size_bytes=held.table.size_bytes)
        held.read_until = began_at

    async def _read(
        self, place: Place, blocks: Mapping[str, Block], news: Sequence[State], *, is_first: bool
    ) -> dict[str, Block]:
        present = {state.key: state for state in news if not state.is_removed}
        chunks: dict[str, dict[int, bytes]] = {key: {} for key in present}
        if self._space is not None:
            wanted = None if is_first else list(present)
            async for key, number, vector in self._search.vectors(place, self._space, wanted):
                if key in chunks:
                    chunks[key][number] = vector
        gone = {state.key for state in news}
        kept = {key: block for key, block in blocks.items() if key not in gone}
        return kept | {
            key: block_of(state.kind, state.document_id, state.version, state.changed_at, chunks[key])
            for key, state in present.items()
        }

    def _forget_oldest(self) -> None:
        while len(self._held) > 1 and sum(map(_size_bytes, self._held.values())) > self._most_bytes:
            place, _ = self._held.popitem(last=False)
            log.info("index.dropped", **_named(place))


def _size_bytes(held: _Held) -> int:
    return held.table.size_bytes + _LEAST_BYTES


def _named(place: Place) -> dict[str, str]:
    return {"organisation": place.organisation, "project": place.project}


def _version(blocks: Mapping[str, Block], state: State) -> int:
    block = blocks.get(state.key)
    return 0 if block is None else block.version
