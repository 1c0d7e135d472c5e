"""How much waits in an inbox: counted anew each time, but of a large one every few seconds, since that takes a while."""

import time
from collections.abc import Callable, Sequence

import orjson

from shared.store.inbox import Group, InboxStore
from shared.store.mongo import Document

COUNT_AT_MOST = 10_000
LARGE = 1_000
KEPT_SECONDS = 5.0
_REMEMBERED = 1_000


class InboxCounts:
    """The counts of one gateway process."""

    def __init__(self, store: InboxStore, seconds: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._seconds = seconds
        self._large: dict[bytes, tuple[float, Sequence[Group]]] = {}

    async def of(self, query: Document) -> Sequence[Group]:
        """Return how many of the newest 10,000 that match are of each Agent and kind; of more than 1,000, as of late."""
        key = orjson.dumps(query, option=orjson.OPT_SORT_KEYS)
        until, groups = self._large.get(key, (0.0, ()))
        if self._seconds() < until:
            return groups
        groups = await self._store.groups(query, COUNT_AT_MOST)
        self._keep(key, groups)
        return groups

    def _keep(self, key: bytes, groups: Sequence[Group]) -> None:
        self._large.pop(key, None)
        if sum(group.count for group in groups) > LARGE:
            if len(self._large) >= _REMEMBERED:
                self._large.clear()
            self._large[key] = (self._seconds() + KEPT_SECONDS, groups)
