"""Whose turn it is: a flood delays nobody else, the urgent overtake, and what is not urgent still moves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import pytest_asyncio

from tests.support.agents import pausing, publish_agents
from tests.support.caller import Caller
from tests.support.duration import only_when_long
from tests.support.events import event
from tests.support.invariants import check_invariants
from tests.support.load import publish_all
from tests.support.platform import Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("heavy"),
    pytest.mark.timeout(180),
]

Document = dict[str, Any]

FLOOD = 10_000
SAMPLES = 15
LATE_MS = 40.0
"""What a busy machine may add to a latency of some milliseconds."""

USUAL, URGENT, LIMITED = "ticket.opened", "ticket.closed", "ticket.changed"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fair_platform(server_folder: Path) -> AsyncIterator[Platform]:
    async with running_platform(server_folder, {"GATE_WAIT_SECONDS": "15"}) as started:
        await publish_agents(
            started,
            pausing("usual", USUAL, priority_level="low"),
            pausing("urgent", URGENT, priority_level="critical"),
            pausing("limited", LIMITED, max_concurrent_tasks=3),
        )
        yield started


def ticket(type: str, organisation: str, pause_ms: int) -> Document:
    """Return an event that starts one run of so many milliseconds."""
    data = {"ticket_id": "t-1", "title": "One of many", "status": "open"}
    return event(type, organisation, data) | {"pausems": pause_ms}


async def started_after_ms(platform: Platform, run_id: str) -> float:
    """Return how long it took from the moment its event was accepted until the run was started."""

    async def look() -> Document:
        return platform.database["runs"].find_one({"_id": run_id}) or {}

    run = await until_seen(look, lambda run: run.get("started_at") is not None)
    accepted = platform.database["events"].find_one({"_id": run["event_key"]})
    assert accepted is not None
    return float((run["started_at"] - accepted["accepted_at"]) / timedelta(milliseconds=1))


async def latencies(platform: Platform, caller: Caller, type: str, organisation: str) -> list[float]:
    """Start single runs, one after the other, and return how long each took to start."""
    return [
        await started_after_ms(platform, await caller.start_run(ticket(type, organisation, 0))) for _ in range(SAMPLES)
    ]


async def flood(platform: Platform, organisation: str, type: str, pause_ms: int, size: int = FLOOD) -> None:
    """Queue many runs of one organisation."""
    await publish_all(platform.caller(organisation), [ticket(type, organisation, pause_ms) for _ in range(size)])
    await until_seen(lambda: count(platform, organisation), lambda seen: seen >= size, timeout_seconds=60)


async def count(platform: Platform, organisation: str, **query: Any) -> int:
    return platform.database["runs"].count_documents({"organisation": organisation, **query})


async def empty(platform: Platform, organisation: str) -> None:
    """Cancel what is left of a flood, and wait until all is at rest."""
    answer = await platform.caller(organisation).post("/api/agent-runs/cancel", {"all_users": True})
    assert answer.status == 200, answer
    await platform.settled()
    check_invariants(platform.database)


async def test_a_flood_of_low_runs_delays_neither_another_organisation_nor_a_critical_run_of_its_own(
    fair_platform: Platform, organisation: str
) -> None:
    platform, other = fair_platform, f"{organisation}-other"
    caller, lone = platform.caller(organisation), platform.caller(other)
    idle = await latencies(platform, lone, USUAL, other), await latencies(platform, caller, URGENT, organisation)

    await flood(platform, organisation, USUAL, pause_ms=3_000)
    busy = await latencies(platform, lone, USUAL, other), await latencies(platform, caller, URGENT, organisation)
    left = await count(platform, organisation, status="queued")
    await empty(platform, organisation)

    assert left > FLOOD / 2
    for before, meanwhile in zip(idle, busy, strict=True):
        assert median(meanwhile) <= 2 * median(before) + LATE_MS, (idle, busy)


@only_when_long
async def test_low_runs_still_move_while_critical_ones_keep_coming(fair_platform: Platform, organisation: str) -> None:
    platform = fair_platform
    await flood(platform, organisation, URGENT, pause_ms=500, size=4_000)
    await flood(platform, organisation, USUAL, pause_ms=1, size=20)

    async def look() -> tuple[int, int]:
        done = await count(platform, organisation, agent_key="usual", status="completed")
        return done, await count(platform, organisation, agent_key="urgent", status="queued")

    _, urgent_left = await until_seen(look, lambda seen: seen[0] >= 5, timeout_seconds=60)
    await empty(platform, organisation)

    assert urgent_left > 0


async def test_an_agent_never_has_more_runs_at_a_time_than_it_may_and_the_others_say_what_they_wait_for(
    fair_platform: Platform, organisation: str
) -> None:
    platform, caller = fair_platform, fair_platform.caller(organisation)
    most = 0

    async def look() -> int:
        nonlocal most
        most = max(most, await count(platform, organisation, status="running"))
        return await count(platform, organisation, status="completed")

    await publish_all(caller, [ticket(LIMITED, organisation, 200) for _ in range(30)])
    waiting = await until_seen(
        lambda: caller.runs(status="queued", all_users="true"), lambda runs: bool(runs) and runs[-1]["waiting_for"]
    )
    explained = await caller.get(f"/api/agent-runs/{waiting[-1]['id']}/explain")
    await until_seen(look, lambda completed: completed == 30)

    assert waiting[-1]["waiting_for"]["what"] == "agent"
    assert explained.status == 200
    assert "max_concurrent_tasks" in explained.body["summary"]
    assert any(detail.startswith("Position ") for detail in explained.body["details"])
    assert most == 3
    await platform.settled()
    check_invariants(platform.database)


async def test_runs_of_a_paused_agent_wait_and_go_on_when_it_is_paused_no_more(
    fair_platform: Platform, organisation: str
) -> None:
    platform, caller = fair_platform, fair_platform.caller(organisation)
    await caller.bind("usual", "organisation", organisation, paused=True)

    async def queued() -> Document:
        return await caller.run(await caller.start_run(ticket(USUAL, organisation, 0)))

    run = await until_seen(queued, lambda run: (run["waiting_for"] or {}).get("what") == "paused")
    await caller.bind("usual", "organisation", organisation, paused=False)

    await caller.run_that_is(run["id"], "completed")
    await platform.settled()
    check_invariants(platform.database)
