"""The runs of one organisation that changed since the last look."""

from datetime import datetime, timedelta
from typing import Protocol

from infra.demo.client import Json

# Services stamp changes by their own clocks, and write them a little later.
LOOK_BACK = timedelta(seconds=2)


class RunList(Protocol):
    """The list of runs, page by page."""

    async def runs_page(self, cursor: str | None, etag: str | None) -> tuple[Json | None, str | None]:
        """Return a page with its tag, or None when it still has the tag given."""


class RunFeed:
    """Polls the list of runs, which has the latest change first, no further back than it must."""

    def __init__(self, client: RunList, since: datetime) -> None:
        self._client = client
        self._etag: str | None = None
        self._seen_until = since

    async def changed(self) -> list[Json]:
        """Return the runs that may have changed since the last call; nothing when the list is the same."""
        page, etag = await self._client.runs_page(None, self._etag)
        if page is None:
            return []
        runs = list(page["agent_runs"])
        while page is not None and page["next_cursor"] is not None and self._wants_more(runs):
            page, _ = await self._client.runs_page(page["next_cursor"], None)
            runs += page["agent_runs"] if page is not None else ()
        # Only now, when every page was read: a look that fails half-way is repeated whole.
        self._etag = etag
        if runs:
            self._seen_until = _changed_at(runs[0])
        return runs

    def _wants_more(self, runs: list[Json]) -> bool:
        return _changed_at(runs[-1]) >= self._seen_until - LOOK_BACK


def _changed_at(run: Json) -> datetime:
    return datetime.fromisoformat(run["changed_at"])
