"""Polling the list of runs: no page too few, and no page too many."""

from datetime import UTC, datetime

from infra.demo.client import Json
from infra.demo.feed import RunFeed
from tests.unit.demo.samples import run

BEGUN = datetime(2026, 11, 19, 8, 30, tzinfo=UTC)


class Pages:
    """A list of runs in pages of two, the latest change first."""

    def __init__(self) -> None:
        self.runs: list[Json] = []
        self.reads = 0

    def change(self, run_id: str, second: int) -> None:
        changed = run(run_id, "running", changed_at=f"2026-11-19T08:30:{second:02}Z")
        self.runs = [changed, *(each for each in self.runs if each["id"] != run_id)]

    async def runs_page(self, cursor: str | None, etag: str | None) -> tuple[Json | None, str | None]:
        if etag == str(self.runs):
            return None, etag
        self.reads += 1
        start = int(cursor or 0)
        more = str(start + 2) if start + 2 < len(self.runs) else None
        return {"agent_runs": self.runs[start : start + 2], "next_cursor": more}, str(self.runs)


def _ids(runs: list[Json]) -> list[str]:
    return [each["id"] for each in runs]


async def test_every_page_is_read_as_far_as_the_beginning() -> None:
    pages = Pages()
    for number in range(5):
        pages.change(f"run_{number}", second=number)

    assert _ids(await RunFeed(pages, BEGUN).changed()) == ["run_4", "run_3", "run_2", "run_1", "run_0"]


async def test_an_unchanged_list_has_nothing_new() -> None:
    pages = Pages()
    pages.change("run_1", second=1)
    feed = RunFeed(pages, BEGUN)
    await feed.changed()

    assert await feed.changed() == []
    assert pages.reads == 1


async def test_pages_that_were_seen_long_ago_are_not_read_again() -> None:
    pages = Pages()
    for number in range(10):
        pages.change(f"run_{number}", second=number)
    feed = RunFeed(pages, BEGUN)
    await feed.changed()
    pages.reads = 0

    pages.change("run_0", second=20)

    assert "run_0" in _ids(await feed.changed())
    assert pages.reads == 3
