"""GET /api/agent-runs: what it lists and counts, page by page."""

from datetime import timedelta
from typing import Any

import pytest_asyncio

from shared.clock import utc_now
from shared.domain.run import RunStatus
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import a_new_run, a_stored_run

PATH = "/api/agent-runs"
OLGAS: dict[str, Any] = {"organisation": "acme", "user": "olga"}


@pytest_asyncio.fixture
async def ids(mongo: Mongo) -> list[str]:
    """Store runs of two Agents, one after the other, all but three of one moment; return their ids, the latest first."""
    now = utc_now()
    statuses = [RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.FAILED, RunStatus.COMPLETED]
    stored = [
        a_stored_run(
            statuses[number % 4],
            a_new_run(f"run_{number:02}", agent_key="noter" if number % 8 < 4 else "reader", **OLGAS),
            changed_at=now + timedelta(seconds=max(0, number - 20)),
        )
        for number in range(24)
    ]
    await mongo.database["runs"].insert_many(stored)
    return [run["_id"] for run in reversed(stored)]


async def test_every_page_follows_the_one_before_without_a_gap_or_a_repetition(asking: Asking, ids: list[str]) -> None:
    listed: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await asking.ask("GET", PATH, params={"limit": "5", **cursor})).json()
        listed += [run["id"] for run in page["agent_runs"]]
        assert (page["active"], page["recent_failures"]) == (12, 6)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert listed == ids


async def test_active_runs_are_counted_whatever_the_list_is_narrowed_to(asking: Asking, ids: list[str]) -> None:
    narrowed: dict[str, dict[str, str]] = {
        "not": {},
        "to one status": {"status": "queued"},
        "to an Agent": {"agent_key": "noter"},
        "to a project": {"project": "hermes"},
        "to one run": {"limit": "1"},
        "to what has ended": {"status": "failed", "limit": "3"},
    }

    answers = {name: (await asking.ask("GET", PATH, params=params)).json() for name, params in narrowed.items()}

    assert {name: answer["active"] for name, answer in answers.items()} == dict.fromkeys(narrowed, 12)
    assert [len(answer["agent_runs"]) for answer in answers.values()] == [24, 6, 12, 0, 1, 3]
    assert {run["status"] for run in answers["to one status"]["agent_runs"]} == {"queued"}
