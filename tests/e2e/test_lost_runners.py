"""Runners that die, freeze or are told to stop in the middle of their work."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from tests.support.duration import only_when_long
from tests.support.events import checkin, checkins
from tests.support.invariants import check_invariants
from tests.support.platform import Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("lost runners"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]

NEVER_SECONDS = 3_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def runners_platform(server_folder: Path) -> AsyncIterator[Platform]:
    async with running_platform(server_folder, {"RUNNER_DRAIN_SECONDS": "1.0"}) as started:
        yield started


def _stored(platform: Platform, run_id: str) -> Document:
    run = platform.database["runs"].find_one({"_id": run_id})
    assert run is not None
    return run


async def _run_in_a_slow_call(platform: Platform, organisation: str, seconds: float) -> tuple[str, str]:
    """Start a run whose first model call is slow; return its id and the runner that waits for the answer."""
    await platform.model.be_slow(seconds, organisation)
    run_id = await platform.caller(organisation).start_run(checkin(organisation, f"I prefer room {organisation}."))
    await platform.model.is_asked(run_id)
    return run_id, platform.name_of(_stored(platform, run_id)["owner"])


async def test_another_runner_finishes_the_run_of_a_killed_one_within_ten_seconds(
    runners_platform: Platform, organisation: str
) -> None:
    platform, caller = runners_platform, runners_platform.caller(organisation)
    run_id, runner = await _run_in_a_slow_call(platform, organisation, NEVER_SECONDS)

    killed_at = monotonic()
    async with platform.without(runner):
        run = await caller.run_that_is(run_id, "completed")
        seconds = monotonic() - killed_at
        finisher = platform.name_of(_stored(platform, run_id)["owner"])

    assert seconds < 10
    assert finisher != runner
    assert (run["attempt"], run["error"], run["usage"]["model_calls"]) == (2, None, 1)
    # What was finished before is not done again; the call that was under way is.
    assert [(step["kind"], step["attempt"]) for step in run["steps"]] == [("memory_read", 1), ("model_call", 2)]
    assert len(await caller.proposals_of(run_id)) == 1
    await platform.settled()
    check_invariants(platform.database)


async def test_a_runner_that_was_frozen_for_longer_than_its_lease_changes_nothing_any_more(
    runners_platform: Platform, organisation: str
) -> None:
    platform, caller = runners_platform, runners_platform.caller(organisation)
    run_id, runner = await _run_in_a_slow_call(platform, organisation, 1)
    await platform.model.be_slow(6, organisation)

    platform.freeze(runner)
    try:
        await platform.model.is_asked(run_id, attempt=2)
    finally:
        platform.thaw(runner)
    # It finds the answer to its own call waiting, while the other runner still waits for one.
    await _logged(platform, runner, "run.lost", run_id)
    meanwhile = await caller.run(run_id)
    run = await caller.run_that_is(run_id, "completed")

    assert (meanwhile["status"], meanwhile["attempt"], meanwhile["effects"]) == ("running", 2, [])
    assert (run["attempt"], run["error"]) == (2, None)
    assert platform.name_of(_stored(platform, run_id)["owner"]) != runner
    assert [(step["kind"], step["attempt"]) for step in run["steps"]] == [("memory_read", 1), ("model_call", 2)]
    assert len(await caller.proposals_of(run_id)) == 1
    await platform.settled()
    check_invariants(platform.database)


@only_when_long
async def test_a_runner_that_was_frozen_until_others_had_done_its_work_works_again(
    runners_platform: Platform, organisation: str
) -> None:
    platform, caller = runners_platform, runners_platform.caller(organisation)
    run_id, runner = await _run_in_a_slow_call(platform, organisation, 1)
    platform.freeze(runner)
    try:
        await caller.run_that_is(run_id, "completed")
        await platform.settled()
        finished, proposals = _stored(platform, run_id), await caller.proposals()
    finally:
        platform.thaw(runner)
    await _logged(platform, runner, "run.lost", run_id)

    others = [name for name in platform.runners if name != runner]
    async with platform.without(*others):
        later = await caller.run_that_is(await caller.start_run(checkin(organisation)), "completed")
        worker = platform.name_of(_stored(platform, later["id"])["owner"])

    assert worker == runner
    assert _stored(platform, run_id) == finished
    assert await caller.proposals(run_id=run_id) == proposals
    assert len(proposals) == 1


async def test_a_runner_that_is_told_to_stop_hands_a_slow_run_back_at_once(
    runners_platform: Platform, organisation: str
) -> None:
    platform, caller = runners_platform, runners_platform.caller(organisation)
    run_id, runner = await _run_in_a_slow_call(platform, organisation, NEVER_SECONDS)

    told_at = monotonic()
    stopping = asyncio.create_task(platform.stack.terminate(runner))
    run = await caller.run_that_is(run_id, "completed")
    seconds = monotonic() - told_at
    stopped_by_itself = await stopping
    finisher = platform.name_of(_stored(platform, run_id)["owner"])
    await platform.stack.start(runner)

    assert stopped_by_itself
    assert seconds < 8
    assert (finisher != runner, run["attempt"], run["error"]) == (True, 2, None)
    calls = await platform.model.calls(run_id)
    # The provider is not kept working on an answer that nobody waits for.
    assert [(call["metadata"]["attempt"], call["status"]) for call in calls] == [("1", "cancelled"), ("2", "completed")]
    assert len(await caller.proposals_of(run_id)) == 1
    await platform.settled()
    check_invariants(platform.database)


@only_when_long
async def test_a_runner_that_is_told_to_stop_finishes_short_runs(runners_platform: Platform, organisation: str) -> None:
    platform, caller = runners_platform, runners_platform.caller(organisation)
    await platform.model.be_slow(0.2, organisation, times=20)
    answer = await caller.publish(*checkins(organisation, 20, organisation))
    run_ids = [run["id"] for run in answer.body["agent_runs"]]
    runner = platform.runners[0]

    async def claimed() -> int:
        return platform.database["runs"].count_documents({"organisation": organisation, "status": "queued"})

    await until_seen(claimed, lambda queued: queued == 0)
    stopped_by_itself = await platform.stack.terminate(runner)
    await platform.settled()
    await platform.stack.start(runner)

    runs = [_stored(platform, run_id) for run_id in run_ids]
    assert stopped_by_itself
    assert {(run["status"], run["attempt"]) for run in runs} == {("completed", 1)}
    assert len(await platform.model.calls(*run_ids)) == 20
    check_invariants(platform.database)


async def _logged(platform: Platform, part: str, event: str, run_id: str) -> None:
    async def lines() -> list[str]:
        return platform.stack.log_path(part).read_text().splitlines()

    await until_seen(lines, lambda logged: any(f'"event":"{event}"' in line and run_id in line for line in logged))
