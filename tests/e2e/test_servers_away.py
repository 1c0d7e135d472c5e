"""What callers are told while NATS or MongoDB is away, and that everything goes on by itself afterwards."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.events import checkin
from tests.support.invariants import check_invariants
from tests.support.platform import Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("servers away"),
    pytest.mark.timeout(120),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lone_platform(server_folder: Path) -> AsyncIterator[Platform]:
    async with running_platform(server_folder, runners=1) as started:
        yield started


async def test_events_are_accepted_while_nats_is_away_and_done_when_it_returns(
    lone_platform: Platform, organisation: str
) -> None:
    platform, caller = lone_platform, lone_platform.caller(organisation)
    events = [checkin(organisation) for _ in range(20)]

    async with platform.without("nats"):
        single = await caller.publish(events[0])
        batch = await caller.publish(*events[1:])
        again = await caller.publish(events[0])
        health = await platform.bearer(None).get("/health/ready")
    await platform.settled()

    assert [answer.status for answer in (single, batch, again)] == [202] * 3
    answers = [event for answer in (single, batch, again) for event in answer.body["events"]]
    assert {(event["pending"], len(event["agent_runs"]), len(event["decisions"])) for event in answers} == {
        (True, 0, 0)
    }
    assert (health.status, health.body["status"]) == (200, "degraded")
    runs = list(platform.database["runs"].find({"organisation": organisation}))
    assert [(run["status"], run["attempt"]) for run in runs] == [("completed", 1)] * 20
    assert not (await caller.publish(events[0])).body["events"][0]["pending"]
    check_invariants(platform.database)


async def test_a_gateway_that_starts_while_nats_is_away_accepts_and_connects_later(
    lone_platform: Platform, organisation: str
) -> None:
    platform, caller = lone_platform, lone_platform.caller(organisation)

    async with platform.without("nats"):
        await platform.restart("gateway")
        meanwhile = await caller.publish(checkin(organisation))
    await platform.settled()

    async def next_answer() -> bool:
        return bool((await caller.publish(checkin(organisation))).body["events"][0]["pending"])

    await until_seen(next_answer, lambda is_pending: not is_pending)
    assert (meanwhile.status, meanwhile.body["events"][0]["pending"]) == (202, True)
    await platform.settled()
    check_invariants(platform.database)


async def test_without_mongodb_nothing_is_accepted_and_the_answer_says_so(
    lone_platform: Platform, organisation: str
) -> None:
    platform, caller = lone_platform, lone_platform.caller(organisation)
    refused, later = checkin(organisation), checkin(organisation)
    known_run = await caller.start_run(checkin(organisation))
    await caller.run_that_is(known_run, "completed")

    async with platform.without("mongod"):
        published, listed, health = await asyncio.gather(
            caller.publish(refused), caller.get("/api/agent-runs"), platform.bearer(None).get("/health/ready")
        )
        alive = await platform.bearer(None).get("/health/live")
    recovered = await until_seen(lambda: caller.publish(later), lambda answer: answer.status == 202)

    assert (published.status, published.code) == (503, "storage_unavailable")
    assert int(published.headers["Retry-After"]) > 0
    assert "MongoDB" in published.body["detail"]
    assert (listed.status, listed.code) == (503, "storage_unavailable")
    assert (health.status, health.body["status"], alive.status) == (503, "unavailable", 200)
    assert recovered.body["events"][0]["id"] == later["id"]
    await platform.settled()
    stored = platform.database["events"].find({"organisation": organisation})
    assert refused["id"] not in {event["id"] for event in stored}
    assert len(await caller.runs()) == 2
    check_invariants(platform.database)


async def test_a_run_whose_model_answers_while_mongodb_is_away_is_not_lost(
    lone_platform: Platform, organisation: str
) -> None:
    platform, caller = lone_platform, lone_platform.caller(organisation)
    await platform.model.be_slow(0.5, organisation)
    run_id = await caller.start_run(checkin(organisation, f"I prefer room {organisation}."))
    await platform.model.is_asked(run_id)

    async with platform.without("mongod"):
        await until_seen(
            lambda: platform.model.calls(run_id), lambda calls: [call["status"] for call in calls] == ["completed"]
        )

    run = await caller.run_that_is(run_id, "completed")
    assert len(await caller.proposals_of(run_id)) == 1
    assert run["usage"]["model_calls"] >= 1
    await platform.settled()
    check_invariants(platform.database)
