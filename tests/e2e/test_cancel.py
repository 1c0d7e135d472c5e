"""Cancelling: it ends the work and the spending, at once, and for good."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from tests.support.caller import Caller
from tests.support.events import checkin, checkins
from tests.support.invariants import check_invariants
from tests.support.load import publish_all
from tests.support.platform import Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("heavy"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]

MANY = 5_000
SOON_SECONDS = 5.0
"""Far less than the call takes, and more than a busy machine needs; measured, it is a fraction of a second."""
CALL_SECONDS = 60.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cancel_platform(server_folder: Path) -> AsyncIterator[Platform]:
    async with running_platform(server_folder, {"GATE_WAIT_SECONDS": "15"}) as started:
        yield started


async def in_a_long_call(platform: Platform, caller: Caller, organisation: str) -> str:
    """Start a run whose model call takes a minute, and return its id when the call is under way."""
    await platform.model.be_slow(CALL_SECONDS, organisation)
    run_id = await caller.start_run(checkin(organisation, f"I prefer tea in room {organisation}."))
    await platform.model.is_asked(run_id)
    return run_id


async def cancel(caller: Caller, run_id: str, reason: str = "no longer needed") -> Document:
    answer = await caller.post(f"/api/agent-runs/{run_id}/cancel", {"reason": reason})
    assert answer.status in (200, 202), answer
    return dict(answer.body)


@pytest.mark.parametrize("mode", ["plain", "background"])
async def test_a_run_in_a_long_model_call_ends_within_a_second_and_the_provider_is_told(
    cancel_platform: Platform, organisation: str, mode: str
) -> None:
    platform, caller = cancel_platform, cancel_platform.caller(organisation)
    await caller.bind("today_checkin_processor", "organisation", organisation, call_mode=mode)
    await obeyed(caller, organisation)
    run_id = await in_a_long_call(platform, caller, organisation)

    asked_at = monotonic()
    asked = await cancel(caller, run_id)
    run = await caller.run_that_is(run_id, "cancelled", timeout_seconds=10)
    took = monotonic() - asked_at

    assert (asked["status"], asked["cancelling"]) in [("running", True), ("cancelled", False)]
    assert took < SOON_SECONDS
    (call,) = await platform.model.calls(run_id)
    assert (call["status"], call["cancelled"]) == ("cancelled", True)
    assert (run["cancel"]["requested_by"], run["cancel"]["reason"]) == ("ada", "no longer needed")
    assert run["cancel"]["confirmed_at"] is not None
    assert run["cancel"]["spent_after"].keys() == {"input_tokens", "output_tokens", "model_calls"}
    assert (run["output"], run["effects"]) == (None, [])
    await platform.settled()
    check_invariants(platform.database)


async def obeyed(caller: Caller, organisation: str) -> None:
    """Wait until runners have loaded a binding that was just written."""
    done = await caller.start_run(checkin(organisation))
    await caller.run_that_is(done, "completed")


async def test_a_run_that_has_ended_says_so_and_a_cancelled_one_is_cancelled_again(
    cancel_platform: Platform, organisation: str
) -> None:
    caller = cancel_platform.caller(organisation)
    completed = await caller.start_run(checkin(organisation))
    await caller.run_that_is(completed, "completed")
    running = await in_a_long_call(cancel_platform, caller, organisation)
    await cancel(caller, running)
    first = await caller.run_that_is(running, "cancelled")

    refused = await caller.post(f"/api/agent-runs/{completed}/cancel")
    again = await cancel(caller, running, reason="once more")

    assert (refused.status, refused.code) == (409, "run_ended")
    assert again["cancel"] == first["cancel"]


async def test_of_thousands_of_queued_runs_none_runs_after_they_were_cancelled(
    cancel_platform: Platform, organisation: str
) -> None:
    platform, caller = cancel_platform, cancel_platform.caller(organisation)
    runs = platform.database["runs"]
    async with platform.without(*platform.runners):
        await publish_all(caller, checkins(organisation, MANY, organisation))
        await until_seen(
            lambda: count(runs, organisation), lambda statuses: statuses == {"queued": MANY}, timeout_seconds=60
        )

        asked_at = monotonic()
        answer = await caller.post("/api/agent-runs/cancel", {"all_users": True, "reason": "a mistake"})
        took = monotonic() - asked_at

    assert (answer.status, answer.body) == (200, {"cancelled": MANY, "cancelling": 0})
    assert took < SOON_SECONDS
    await platform.settled()
    assert await count(runs, organisation) == {"cancelled": MANY}
    assert runs.count_documents({"organisation": organisation, "attempt": {"$gt": 0}}) == 0
    check_invariants(platform.database)


async def count(runs: Any, organisation: str) -> Counter[str]:
    groups = runs.aggregate(
        [{"$match": {"organisation": organisation}}, {"$group": {"_id": "$status", "count": {"$sum": 1}}}]
    )
    return Counter({group["_id"]: group["count"] for group in groups})


async def test_a_cancelled_run_whose_runner_is_killed_ends_as_cancelled_and_is_not_executed_again(
    cancel_platform: Platform, organisation: str
) -> None:
    platform, caller = cancel_platform, cancel_platform.caller(organisation)
    await caller.bind("today_checkin_processor", "organisation", organisation, call_mode="background")
    await obeyed(caller, organisation)
    run_id = await in_a_long_call(platform, caller, organisation)
    stored = platform.database["runs"].find_one({"_id": run_id})
    assert stored is not None
    runner = platform.name_of(stored["owner"])

    platform.freeze(runner)
    await cancel(caller, run_id)
    await platform.stack.kill(runner)
    run = await caller.run_that_is(run_id, "cancelled")
    await platform.stack.start(runner)

    (call,) = await platform.model.calls(run_id)
    assert call["status"] == "cancelled"
    assert run["losses"] == 1
    assert run["output"] is None


async def test_somebody_elses_run_cannot_be_cancelled(cancel_platform: Platform, organisation: str) -> None:
    owner = cancel_platform.caller(organisation)
    run_id = await in_a_long_call(cancel_platform, owner, organisation)
    colleague = cancel_platform.caller(organisation, user="grace", roles=())
    stranger = cancel_platform.caller(f"{organisation}-other")

    answers = [await each.post(f"/api/agent-runs/{run_id}/cancel") for each in (colleague, stranger)]
    by_filter = await colleague.post("/api/agent-runs/cancel", {"all_users": True})
    own = await colleague.post("/api/agent-runs/cancel", {})

    assert [answer.status for answer in answers] == [404, 404]
    assert (by_filter.status, own.body) == (403, {"cancelled": 0, "cancelling": 0})
    assert (await owner.run(run_id))["status"] == "running"
    await cancel(owner, run_id)
