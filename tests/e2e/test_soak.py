"""A simulated week under load, with a history of a day: nothing grows, and nothing is broken at the end."""

from pathlib import Path

import pytest

from infra.soak.calendar import Calendar
from infra.soak.events import Kind as LoadKind
from infra.soak.figures import Kind, Quantity
from infra.soak.weeks import live

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("heavy"),
    pytest.mark.timeout(240),
]

A_WEEK = Calendar(days=7, day_seconds=4.0, history_days=1.0)
EVENTS_A_SECOND = 8
MOST_DAYS_KEPT = 3


async def test_after_a_week_there_is_no_more_than_after_its_first_days(server_folder: Path) -> None:
    said: list[str] = []

    weeks = await live(A_WEEK, EVENTS_A_SECOND, 0.25, server_folder / "week", said.append)

    assert [str(verdict) for verdict in weeks.verdicts if not verdict.is_bounded] == []
    assert weeks.violations == {}
    assert set(LoadKind) <= weeks.counts.keys()
    published = sum(weeks.counts[kind] for kind in LoadKind)
    for collection in ("events", "runs"):
        kept = weeks.days[-1][Quantity(Kind.DOCUMENTS, collection)]
        assert 0 < kept < published * MOST_DAYS_KEPT / A_WEEK.days
    assert len(said) == A_WEEK.days
