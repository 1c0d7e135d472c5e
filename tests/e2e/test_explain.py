"""The system answers its own troubleshooting table: each fault is made, and the explanation names it."""

from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.events import PROJECT, USER, checkin, member_joined
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]

PROCESSOR, PULSE = "today_checkin_processor", "operating_pulse"
HERE = {"project": PROJECT, "user": USER}


async def explained(caller: Caller, path: str, query: Document | None = None) -> Document:
    answer = await caller.get(f"{path}/explain", query)
    assert answer.status == 200, answer
    return dict(answer.body)


async def until_explained(caller: Caller, path: str, words: str, query: Document | None = None) -> str:
    """Wait until the explanation says this, and return all that it says."""

    async def look() -> str:
        answer = await explained(caller, path, query)
        decided = [sentence for each in answer.get("decisions", ()) for sentence in each["words"]]
        return "\n".join([answer["summary"], *answer.get("details", ()), *decided])

    return await until_seen(look, lambda said: words in said, 40.0)


async def test_why_runs_stay_queued(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    async with platform.without(*platform.runners):
        run_id = await caller.start_run(checkin(organisation))

        await until_explained(caller, f"/api/agent-runs/{run_id}", "no runner is at work: start one")

    await caller.run_that_is(run_id, "completed")


async def test_why_a_run_failed(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    # An Agent as the gateway would not publish it, for a runner that is newer than those here.
    trigger = {"event": "checkin.submitted", "target": {"type": "thing", "id": "{id}"}}
    agent = {
        "key": "future",
        "name": "Future",
        "visibility": "organisation",
        "handler": "future",
        "triggers": [trigger],
    }
    for path, document in (("/api/agents", agent), ("/api/agents/future/publish", {})):
        assert (await caller.post(path, document)).status in {200, 201}
    await platform.restart("gating")
    answer = await caller.publish(checkin(organisation, id="checkin-1"))
    (run_id,) = [run["id"] for run in answer.body["agent_runs"] if run["agent_key"] == "future"]
    await caller.run_that_is(run_id, "failed")

    assert "No runner here has a handler 'future'" in (await explained(caller, f"/api/agent-runs/{run_id}"))["summary"]
    await until_explained(caller, "/api/events/checkin-1", f"Run {run_id} is failed.")


async def test_why_an_action_is_disabled(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await caller.bind(PROCESSOR, "project", PROJECT, enabled=False)
    decided = await platform.caller(organisation).publish(checkin(organisation, id="checkin-1"))

    async def disabled() -> str:
        return str((await explained(caller, f"/api/agents/{PROCESSOR}", HERE))["summary"])

    assert decided.status == 202
    said = await until_seen(disabled, lambda summary: "starts no runs" in summary)
    assert said == f"{PROCESSOR} starts no runs: the binding of project {PROJECT} disables it."
    details = (await explained(caller, f"/api/agents/{PROCESSOR}", HERE))["details"]
    assert any(f"The binding of project {PROJECT}, set by {USER} at" in detail for detail in details)

    async def skipped() -> list[Document]:
        await caller.publish(checkin(organisation))
        found = platform.database["events"].find({"organisation": organisation, "decisions.reason": "disabled"})
        return list(found)

    # Gating obeys a binding within a second.
    event = (await until_seen(skipped, bool))[0]
    await until_explained(caller, f"/api/events/{event['_id']}", f"The binding of project {PROJECT} decided it; {USER}")


async def test_where_the_expected_output_is(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    run_id = await caller.start_run(checkin(organisation, id="checkin-1"))
    (proposal,) = await caller.proposals_of(run_id)

    said = await until_explained(caller, "/api/events/checkin-1", "It proposed")

    assert f"Run {run_id} is completed." in said
    assert f"It proposed: {proposal['id']} (memory_diff, pending)." in said


async def test_why_a_scan_never_runs_for_want_of_members_or_because_of_its_last_decision(
    platform: Platform, organisation: str
) -> None:
    caller, path = platform.caller(organisation), f"/api/agents/{PULSE}"
    await caller.bind(PULSE, "user", USER, schedule={"every_seconds": 1}, enabled=False)

    await until_explained(caller, path, f"{USER} is no member of project {PROJECT}", HERE)
    await caller.publish(member_joined(organisation))
    said = await until_explained(caller, path, f"{PULSE} is disabled by the binding of user {USER}.", HERE)

    await caller.bind(PULSE, "user", USER)
    assert "It fired last for" in said
    assert f"It fires for {USER} in project {PROJECT} (every 1 s), next at" in said


async def test_why_a_scan_never_runs_because_of_its_hour(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await caller.publish(member_joined(organisation))
    await caller.bind(PULSE, "project", PROJECT, schedule={"daily_hour": 3})

    said = await until_explained(caller, f"/api/agents/{PULSE}", "03:00:00 UTC", HERE)

    assert f"set by {USER}" in said
    assert "sets its schedule to" in said


async def test_why_nothing_fires_while_background_work_is_off(
    platform_without_timers: Platform, organisation: str
) -> None:
    caller = platform_without_timers.caller(organisation)
    await caller.publish(member_joined(organisation))

    await until_explained(caller, f"/api/agents/{PULSE}", "operating_background_enabled is false", HERE)

    effective = (await caller.get(f"/api/agents/{PULSE}/effective", HERE)).body
    assert effective["values"]["operating_background_enabled"]["value"] is False
    assert "no schedule fires" in effective["explanation"]
