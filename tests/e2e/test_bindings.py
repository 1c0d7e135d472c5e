"""Switching an Agent off and on again, at each of the four scopes."""

import asyncio
from time import monotonic

import pytest

from tests.support.caller import Answer, Caller
from tests.support.events import PROJECT, USER, checkin
from tests.support.platform import FEW_SLOTS, Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

AGENT = "today_checkin_processor"
SOON_SECONDS = 1.0


def _decision(answer: Answer) -> dict[str, object]:
    assert answer.status == 202, answer
    (event,) = answer.body["events"]
    (decision,) = event["decisions"]
    return dict(decision)


async def _first_decision_that_is(caller: Caller, organisation: str, outcome: str) -> dict[str, object]:
    async def publish() -> dict[str, object]:
        return _decision(await caller.publish(checkin(organisation)))

    return await until_seen(publish, lambda decision: decision["outcome"] == outcome, 5)


@pytest.mark.parametrize(
    ("scope", "scope_id", "named"),
    [("server", None, ""), ("organisation", None, None), ("project", PROJECT, PROJECT), ("user", USER, USER)],
    ids=["server", "organisation", "project", "user"],
)
async def test_a_disabled_binding_stops_the_agent_within_a_second_and_is_named(
    platform: Platform, organisation: str, scope: str, scope_id: str | None, named: str | None
) -> None:
    caller = platform.caller(organisation)
    admin = platform.caller(organisation, roles=("server_admin",))
    assert _decision(await caller.publish(checkin(organisation)))["outcome"] == "run"

    await admin.bind(AGENT, scope, scope_id, enabled=False)
    try:
        switched_off = monotonic()
        stopped = await _first_decision_that_is(caller, organisation, "skipped")
        stopped_after_seconds = monotonic() - switched_off
        afterwards = await caller.publish(checkin(organisation))
    finally:
        await admin.bind(AGENT, scope, scope_id, enabled=None)
    switched_on = monotonic()
    await _first_decision_that_is(caller, organisation, "run")
    started_after_seconds = monotonic() - switched_on

    assert stopped_after_seconds < SOON_SECONDS
    assert started_after_seconds < SOON_SECONDS
    decided_by = {"scope": scope, "scope_id": organisation if named is None else named}
    assert (stopped["reason"], stopped["decided_by"], stopped["run_id"]) == ("disabled", decided_by, None)
    assert scope in str(stopped["explanation"])
    assert _decision(afterwards) == stopped
    assert afterwards.body["agent_runs"] == []


async def test_an_event_is_stored_although_its_agent_is_disabled(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await caller.bind(AGENT, "organisation", enabled=False)
    await _first_decision_that_is(caller, organisation, "skipped")
    event = checkin(organisation)

    await caller.publish(event)

    stored = platform.database["events"].find_one({"organisation": organisation, "id": event["id"]})
    assert stored is not None
    assert [decision["outcome"] for decision in stored["decisions"]] == ["skipped"]
    assert platform.database["runs"].count_documents({"event_key": stored["_id"]}) == 0


async def test_an_agent_disabled_for_one_user_still_works_for_another(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await platform.caller(organisation, USER, roles=()).bind(AGENT, "user", USER, enabled=False)
    await _first_decision_that_is(caller, organisation, "skipped")

    other = await caller.publish(checkin(organisation, userid="grace"))

    assert _decision(other)["outcome"] == "run"


async def test_the_widest_disabled_binding_is_the_one_that_is_named(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    await caller.bind(AGENT, "user", USER, enabled=False)
    await caller.bind(AGENT, "organisation", enabled=False)
    await caller.bind(AGENT, "project", PROJECT, enabled=True)

    async def deciding_scope() -> object:
        return _decision(await caller.publish(checkin(organisation)))["decided_by"]

    await until_seen(deciding_scope, lambda by: by == {"scope": "organisation", "scope_id": organisation}, 5)


async def test_a_run_that_was_queued_before_the_agent_was_disabled_is_cancelled_when_it_is_claimed(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    async with platform.without(*platform.runners):
        run_id = await caller.start_run(checkin(organisation))
        await caller.bind(AGENT, "user", USER, enabled=False)

    run = await caller.run_that_is(run_id, "cancelled")

    assert run["error"]["code"] == "agent_disabled"
    assert f"user {USER}" in run["error"]["detail"]
    assert (run["steps"], run["effects"], await platform.model.calls(run_id)) == ([], [], [])
    assert await caller.proposals() == []


async def test_a_run_queued_behind_busy_runners_is_cancelled_too(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    slots = FEW_SLOTS * len(platform.runners)
    # Long enough to disable the Agent in the meantime, however busy the machine is.
    await platform.model.be_slow(12, organisation, times=slots)
    await caller.publish(*(checkin(organisation, f"I prefer {organisation}.", userid="grace") for _ in range(slots)))

    async def running() -> int:
        return platform.database["runs"].count_documents({"organisation": organisation, "status": "running"})

    await until_seen(running, lambda count: count == slots)
    run_id = await caller.start_run(checkin(organisation))
    await caller.bind(AGENT, "user", USER, enabled=False)
    run = await caller.run_that_is(run_id, "cancelled", timeout_seconds=60)

    assert run["error"]["code"] == "agent_disabled"
    await platform.settled()


async def test_bindings_are_only_set_by_those_who_may(platform: Platform, organisation: str) -> None:
    plain = platform.caller(organisation, "grace", roles=())
    project_admin = platform.caller(organisation, "linus", roles=("project_admin",), projects=(PROJECT,))
    disabled = {"agent_key": AGENT, "enabled": False}

    refused = await asyncio.gather(
        plain.put("/api/bindings", {**disabled, "scope": "server"}),
        plain.put("/api/bindings", {**disabled, "scope": "organisation"}),
        plain.put("/api/bindings", {**disabled, "scope": "project", "scope_id": PROJECT}),
        plain.put("/api/bindings", {**disabled, "scope": "user", "scope_id": USER}),
        project_admin.put("/api/bindings", {**disabled, "scope": "project", "scope_id": "zephyr"}),
        project_admin.put("/api/bindings", {**disabled, "scope": "organisation"}),
        platform.caller(organisation).put("/api/bindings", {**disabled, "scope": "server"}),
        platform.caller(organisation).put(
            "/api/bindings", {**disabled, "scope": "organisation", "scope_id": "another-organisation"}
        ),
    )

    assert [(answer.status, answer.code) for answer in refused] == [(403, "forbidden")] * 8
    assert platform.database["bindings"].count_documents({"organisation": organisation}) == 0
