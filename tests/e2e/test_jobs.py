"""Jobs that end while somebody is writing, and answers whose runner is killed before it could say them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.caller import Caller
from tests.support.events import event
from tests.support.invariants import check_invariants
from tests.support.platform import Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("jobs"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]
SESSION, TURN = "chat-1", "turn-1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def jobs_platform(server_folder: Path) -> AsyncIterator[Platform]:
    async with running_platform(server_folder) as started:
        yield started


async def start(caller: Caller, job_id: str) -> None:
    wanted = {"job_id": job_id, "session_id": SESSION, "kind": "build", "command": "make", "timeout_seconds": 600}
    answer = await caller.post("/api/jobs", wanted)
    assert answer.status == 201, answer


async def finish(caller: Caller, job_id: str) -> None:
    answer = await caller.post(
        f"/api/jobs/{job_id}/finish", {"exit_code": 2, "output": f"{job_id}: lintRelease failed."}
    )
    assert answer.status == 200, answer


async def job_that_is(caller: Caller, job_id: str, follow_up: str) -> Document:
    async def look() -> Document:
        return dict((await caller.get(f"/api/jobs/{job_id}")).body)

    return await until_seen(look, lambda job: (job["follow_up"] or {}).get("status") == follow_up)


async def said(caller: Caller) -> list[Document]:
    return list((await caller.get(f"/api/sessions/{SESSION}")).body["messages"])


async def test_a_job_that_ends_in_the_middle_of_a_turn_is_answered_after_it(
    jobs_platform: Platform, organisation: str
) -> None:
    platform, caller = jobs_platform, jobs_platform.caller(organisation)
    await start(caller, "job-1")
    turn = {"session_id": SESSION, "turn_id": TURN}
    await caller.publish(event("chat.turn_started", organisation, turn))
    await finish(caller, "job-1")

    waiting = await job_that_is(caller, "job-1", "waiting")
    explained = (await caller.get(f"/api/agent-runs/{waiting['follow_up']['run_id']}/explain")).body["summary"]
    messages = [{"role": "user", "text": "And now?"}, {"role": "assistant", "text": "Wait."}]
    await caller.publish(event("chat.turn_completed", organisation, {**turn, "messages": messages}))
    done = await job_that_is(caller, "job-1", "done")

    assert TURN in explained
    assert [each["text"] for each in await said(caller)][:2] == ["And now?", "Wait."]
    answer = (await said(caller))[2]
    assert (answer["run_id"], answer["metadata"]["job_id"]) == (done["follow_up"]["run_id"], "job-1")
    assert answer["metadata"]["job_result"] == "build: failed, exit code 2\njob-1: lintRelease failed."
    await platform.settled()
    check_invariants(platform.database)


async def test_an_answer_whose_runner_is_killed_is_said_once(jobs_platform: Platform, organisation: str) -> None:
    platform, caller = jobs_platform, jobs_platform.caller(organisation)
    jobs = [f"job-{number}" for number in range(4)]
    for job_id in jobs:
        await start(caller, job_id)
    await asyncio.gather(*(finish(caller, job_id) for job_id in jobs))

    async def ended() -> int:
        return platform.database["runs"].count_documents({"organisation": organisation, "status": "completed"})

    # Killed as soon as the first is committed, whether or not its answer is said by then.
    await until_seen(ended, lambda count: count >= 1)
    async with platform.without(*platform.runners):
        pass
    for job_id in jobs:
        await job_that_is(caller, job_id, "done")

    assert sorted(each["metadata"]["job_id"] for each in await said(caller)) == jobs
    await platform.settled()
    check_invariants(platform.database)
