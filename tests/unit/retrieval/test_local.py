"""Which changes a runner's tables read, and which tables it keeps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain.document import Filters
from shared.retrieval.local import LocalVectors
from shared.retrieval.vectors import encoded
from shared.store.document_search import State
from shared.store.documents import Place

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
APOLLO, ZEUS = Place("acme", "apollo"), Place("acme", "zeus")
EAST, NORTH = encoded([1.0, 0.0]), encoded([0.0, 1.0])


class Search:
    """Documents of one chunk each, and how often they were read."""

    def __init__(self) -> None:
        self.states: dict[str, State] = {}
        self.chunks: dict[str, bytes] = {}
        self.asked: list[datetime | None] = []
        self.read: list[Sequence[str] | None] = []

    def put(self, key: str, vector: bytes, version: int = 1) -> None:
        self.states[key] = State(key, "doc", key, version, AT, is_removed=False)
        self.chunks[key] = vector

    def remove(self, key: str) -> None:
        self.states[key] = State(key, "doc", key, self.states[key].version + 1, AT, is_removed=True)
        del self.chunks[key]

    async def changed(self, place: Place, since: datetime | None) -> list[State]:
        self.asked.append(since)
        return list(self.states.values())

    async def vectors(
        self, place: Place, space: str, keys: Sequence[str] | None
    ) -> AsyncIterator[tuple[str, int, bytes]]:
        self.read.append(keys)
        for key, vector in self.chunks.items():
            if keys is None or key in keys:
                yield key, 0, vector


class Time:
    now = AT

    def __call__(self) -> datetime:
        return self.now


def vectors(search: Any, clock: Time, most_bytes: int = 1_000) -> LocalVectors:
    return LocalVectors(search, "words/2", most_bytes, clock)


async def test_first_search_reads_everything_and_later_ones_what_changed_since() -> None:
    search, clock = Search(), Time()
    search.put("a", EAST)
    local = vectors(search, clock)
    await local.nearest(APOLLO, EAST, 1, Filters())
    clock.now += timedelta(minutes=1)
    search.put("b", NORTH)

    found = await local.nearest(APOLLO, NORTH, 1, Filters())

    assert list(found) == ["b:0"]
    assert search.asked == [None, AT]
    assert search.read == [None, ["b"]]


async def test_what_is_known_already_is_not_read_again() -> None:
    search = Search()
    search.put("a", EAST)
    local = vectors(search, Time())

    for _ in range(3):
        await local.nearest(APOLLO, EAST, 1, Filters())

    assert search.read == [None]


async def test_new_version_replaces_the_old_one_and_a_removed_document_is_gone() -> None:
    search = Search()
    search.put("a", EAST)
    search.put("b", EAST)
    local = vectors(search, Time())
    await local.nearest(APOLLO, EAST, 9, Filters())
    search.put("a", NORTH, version=2)
    search.remove("b")

    found = await local.nearest(APOLLO, EAST, 9, Filters())

    assert list(found) == ["a:0"]
    assert search.read == [None, ["a"]]


async def test_project_searched_longest_ago_gives_way_when_all_take_too_much() -> None:
    search = Search()
    search.put("a", EAST)
    local = vectors(search, Time(), most_bytes=3)

    await local.nearest(APOLLO, EAST, 1, Filters())
    await local.nearest(ZEUS, EAST, 1, Filters())

    assert local.held == [ZEUS]


async def test_one_project_that_is_too_large_is_held_all_the_same() -> None:
    search = Search()
    search.put("a", EAST)
    local = vectors(search, Time(), most_bytes=1)

    assert list(await local.nearest(APOLLO, EAST, 1, Filters())) == ["a:0"]
    assert local.held == [APOLLO]


async def test_searches_at_once_load_a_project_once() -> None:
    search = Search()
    search.put("a", EAST)
    local = vectors(search, Time())

    await asyncio.gather(*(local.nearest(APOLLO, EAST, 1, Filters()) for _ in range(5)))

    assert search.read == [None]
