"""Twenty users are graded at once: one of them fails, a runner is killed meanwhile, and what failed is resumed."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.command_line import towpath
from tests.support.events import event
from tests.support.invariants import check_invariants
from tests.support.platform import Platform
from tests.support.waiting import until_seen
from tests.unit.services.cli.test_agent_tasks import GRADER

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(180),
]

Document = dict[str, Any]

KEY = "progression-grader"
QUERIES = 4
USERS = [f"user-{number:02}" for number in range(20)]
UNLUCKY = USERS[0]


def _turn(organisation: str, user: str) -> Document:
    text = f"I am blocked by the key {organisation}-{user}."
    data = {"session_id": f"s-{user}", "turn_id": "1", "messages": [{"role": "user", "text": text}]}
    return event("chat.turn_completed", organisation, data, userid=user)


async def _graded(caller: Caller, organisation: str, folder: Path) -> None:
    """Publish the grader and what its users said, which nobody else reads."""
    await caller.bind("chat_memory_reviewer", "organisation", enabled=False)
    (folder / "course.toml").write_text(GRADER)
    applied = (await towpath(caller, "agents", "apply", str(folder), "--yes", "--json")).json
    assert applied["published"]
    answer = await caller.publish(*(_turn(organisation, user) for user in USERS))
    assert answer.status == 202, answer


async def _seen(caller: Caller, run_id: str, what: Any) -> Document:
    return await until_seen(lambda: caller.run(run_id), what, 90.0)


async def _children(caller: Caller, run_id: str) -> list[Document]:
    return await caller.runs(parent_id=run_id, limit="200")


async def test_a_batch_survives_a_killed_runner_reports_who_failed_and_resumes_for_them(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    caller = platform.caller(organisation)
    await _graded(caller, organisation, tmp_path)
    refusal = {"kind": "refusal", "match": f"{organisation}-{UNLUCKY}", "times": QUERIES}
    await platform.model.have_faults(refusal, {"kind": "slow", "seconds": 0.1, "match": organisation, "times": 200})

    wanted = {"users": USERS, "project": "apollo", "batch_size": 6, "request_id": "grading-1"}
    answers = [await caller.post(f"/api/agents/{KEY}/batch", wanted) for _ in range(2)]
    assert [answer.status for answer in answers] == [202, 202], answers
    assert answers[0].body["agent_run"]["id"] == answers[1].body["agent_run"]["id"]
    batch = answers[0].body["agent_run"]["id"]
    await _seen(caller, batch, lambda run: run["batch"]["users_failed"] == 1)
    assert sum(run["status"] in ("queued", "running") for run in await _children(caller, batch)) <= 6
    async with platform.without(platform.runners[0]):
        ended = await _seen(caller, batch, lambda run: run["status"] == "completed")

    progress = ended["batch"]
    assert (progress["users_processed"], progress["users_failed"], progress["partial"]) == (20, 1, True), progress
    assert [(each["user"], each["code"]) for each in progress["errors"]] == [(UNLUCKY, "model_refused")]
    assert progress["queries_executed"] == (len(USERS) - 1) * QUERIES
    assert ended["output"] == {name: progress[name] for name in ended["output"]}

    resumed = await towpath(caller, "runs", "resume", batch, "--watch", "--json")
    assert resumed.exit_code == 0, resumed
    assert (resumed.json["batch"]["round"], resumed.json["batch"]["partial"]) == (2, False)
    children = await _children(caller, batch)
    assert sorted(run["user"] for run in children) == sorted([*USERS, UNLUCKY])
    await platform.settled()
    calls = await platform.model.calls(*(run["id"] for run in children if run["attempt"] == 1))
    assert len(calls) == QUERIES * sum(run["attempt"] == 1 for run in children)
    proposals = await caller.proposals(
        run_id=next(run["id"] for run in children if run["user"] == USERS[1]), user=USERS[1]
    )
    assert all(f"{organisation}-{USERS[1]}" in proposal["proposed_value"] for proposal in proposals)
    assert len(proposals) == QUERIES
    check_invariants(platform.database)


async def test_a_cancelled_batch_starts_no_more_and_ends_what_runs(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    caller = platform.caller(organisation)
    await _graded(caller, organisation, tmp_path)
    await platform.model.have_faults({"kind": "slow", "seconds": 60, "match": organisation, "times": 4})

    started = await caller.post(f"/api/agents/{KEY}/batch", {"users": USERS, "batch_size": 2})
    batch = started.body["agent_run"]["id"]
    await until_seen(lambda: _children(caller, batch), lambda runs: [run["status"] for run in runs] == ["running"] * 2)
    assert (await caller.post(f"/api/agent-runs/{batch}/cancel")).body["status"] == "cancelled"

    runs = await until_seen(
        lambda: _children(caller, batch), lambda runs: {run["status"] for run in runs} == {"cancelled"}
    )
    assert len(runs) == 2
    await platform.settled()
    check_invariants(platform.database)
