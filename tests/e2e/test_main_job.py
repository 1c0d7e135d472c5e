"""From a published event to an approved proposal."""

import asyncio

import pytest

from tests.support.events import DAY, PROJECT, USER, checkin, checkins
from tests.support.invariants import check_invariants
from tests.support.platform import Platform

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]


async def test_a_published_check_in_starts_a_run_and_the_answer_says_so(platform: Platform, organisation: str) -> None:
    event = checkin(organisation)

    answer = await platform.caller(organisation).publish(event)

    assert answer.status == 202
    (accepted,) = answer.body["events"]
    (run,) = answer.body["agent_runs"]
    (decision,) = accepted["decisions"]
    assert (accepted["id"], accepted["pending"], accepted["agent_runs"]) == (event["id"], False, [run])
    assert (run["agent_key"], run["status"]) == ("today_checkin_processor", "queued")
    assert run["target"] == {"type": "daily_session", "id": f"{PROJECT}:{USER}:{DAY}"}
    assert (decision["outcome"], decision["run_id"]) == ("run", run["id"])


async def test_a_run_is_seen_queued_then_running_then_completed(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    async with platform.without(*platform.runners):
        run_id = await caller.start_run(checkin(organisation, f"I prefer slow days, says {organisation}."))
        queued = await caller.get("/api/agent-runs")
        await platform.model.be_slow(3, organisation)

    running = await caller.run_that_is(run_id, "running")
    completed = await caller.run_that_is(run_id, "completed")

    assert [(run["id"], run["status"]) for run in queued.body["agent_runs"]] == [(run_id, "queued")]
    assert queued.body["active"] == 1
    assert (running["attempt"], running["started_at"] is not None, running["finished_at"]) == (1, True, None)
    assert (completed["attempt"], completed["finished_at"] is not None, completed["error"]) == (1, True, None)
    assert (await caller.get("/api/agent-runs")).body["active"] == 0


async def test_an_approved_proposal_is_in_memory(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    run_id = await caller.start_run(checkin(organisation, "I prefer reviews before lunch."))
    (proposal,) = await caller.proposals_of(run_id)

    approved = await caller.post(f"/api/proposals/{proposal['id']}/approve")

    (block,) = await caller.memory()
    assert (proposal["status"], proposal["kind"]) == ("pending", "memory_diff")
    assert (approved.status, approved.body["status"], approved.body["decided_by"]) == (200, "approved", USER)
    assert block["label"] == proposal["block_label"]
    assert block["fields"] == {proposal["field"]: proposal["proposed_value"]}
    assert "reviews before lunch" in proposal["proposed_value"]
    assert (block["version"], block["updated_by"]) == (1, USER)


async def test_a_rejected_proposal_changes_no_memory(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    (proposal,) = await caller.proposals_of(await caller.start_run(checkin(organisation)))

    rejected = await caller.post(f"/api/proposals/{proposal['id']}/reject", {"reason": "Not true any more."})

    assert (rejected.status, rejected.body["status"]) == (200, "rejected")
    assert rejected.body["decision_reason"] == "Not true any more."
    assert await caller.memory() == []
    assert (await caller.post(f"/api/proposals/{proposal['id']}/approve")).code == "proposal_decided"


async def test_the_detail_of_a_run_tells_its_whole_story(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    event = checkin(organisation)
    run_id = await caller.start_run(event)

    run = await caller.run_that_is(run_id, "completed")

    assert [step["kind"] for step in run["steps"]] == ["memory_read", "model_call"]
    assert all(step["attempt"] == 1 and step["finished_at"] and step["result"] for step in run["steps"])
    assert (run["decision"]["run_id"], run["decision"]["outcome"]) == (run_id, "run")
    assert run["event"]["id"] == event["id"]
    assert event["data"].items() <= run["event"]["data"].items()
    assert run["trigger"]["event_id"] == event["id"]
    assert run["output"]["coaching"]
    assert [effect["kind"] for effect in run["effects"]] == ["memory_diff"]
    assert run["usage"]["model_calls"] == 1
    assert min(run["usage"]["input_tokens"], run["usage"]["output_tokens"]) > 0


async def test_an_unchanged_list_of_runs_is_not_sent_again(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await caller.run_that_is(await caller.start_run(checkin(organisation)), "completed")
    first = await caller.get("/api/agent-runs")
    known = {"If-None-Match": first.headers["ETag"]}

    unchanged = await caller.get("/api/agent-runs", headers=known)
    await caller.run_that_is(await caller.start_run(checkin(organisation)), "completed")
    changed = await caller.get("/api/agent-runs", headers=known)

    assert (unchanged.status, unchanged.body, unchanged.headers["ETag"]) == (304, None, first.headers["ETag"])
    assert (changed.status, len(changed.body["agent_runs"])) == (200, 2)


async def test_pages_of_runs_show_each_run_once(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    started = [await caller.start_run(checkin(organisation)) for _ in range(5)]
    await asyncio.gather(*(caller.run_that_is(run_id, "completed") for run_id in started))

    first = (await caller.get("/api/agent-runs", {"limit": "2"})).body
    second = (await caller.get("/api/agent-runs", {"limit": "2", "cursor": first["next_cursor"]})).body
    third = (await caller.get("/api/agent-runs", {"limit": "2", "cursor": second["next_cursor"]})).body

    pages = [[run["id"] for run in page["agent_runs"]] for page in (first, second, third)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {run_id for page in pages for run_id in page} == set(started)
    assert third["next_cursor"] is None


async def test_two_runners_share_two_hundred_runs_and_execute_each_once(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await platform.model.be_slow(0.2, organisation, times=200)

    answer = await caller.publish(*checkins(organisation, 200, organisation))
    await platform.settled()

    runs = list(platform.database["runs"].find({"organisation": organisation}))
    calls = await platform.model.calls(*(run["_id"] for run in runs))
    assert answer.status == 202
    assert len(runs) == len(calls) == 200
    assert {(run["status"], run["attempt"]) for run in runs} == {("completed", 1)}
    assert {platform.name_of(run["owner"]) for run in runs} == set(platform.runners)
    check_invariants(platform.database)
