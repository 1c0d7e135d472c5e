"""Schedules fire each due moment once, however many schedulers there are."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.support.events import USER, member_joined
from tests.support.invariants import check_invariants
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

AGENT = "operating_pulse"
EVERY_SECOND = {"every_seconds": 1}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Document = dict[str, Any]


def _fires(platform: Platform, organisation: str) -> list[Document]:
    """Return the fires of the pulse that were decided, the earliest due first."""
    fired = {"organisation": organisation, "type": "schedule.fired", "gated": True}
    found = [
        {**stored, "data": orjson.loads(stored["json"])["data"]} for stored in platform.database["events"].find(fired)
    ]
    found = [fire for fire in found if fire["data"]["agent_key"] == AGENT]
    return sorted(found, key=lambda fire: str(fire["data"]["due_at"]))


async def _until_fired(
    platform: Platform, organisation: str, wanted: Callable[[list[Document]], bool]
) -> list[Document]:
    async def look() -> list[Document]:
        return _fires(platform, organisation)

    return await until_seen(look, wanted)


@asynccontextmanager
async def _firing_every_second(
    platform: Platform, organisation: str, *, enabled: bool | None = None
) -> AsyncIterator[None]:
    caller = platform.caller(organisation)
    await caller.bind(AGENT, "user", USER, schedule=EVERY_SECOND, enabled=enabled)
    await caller.publish(member_joined(organisation))
    try:
        yield
    finally:
        await caller.bind(AGENT, "user", USER)


def _leader(platform: Platform) -> str:
    lease = platform.database["leases"].find_one({"_id": "scheduler"})
    assert lease is not None
    return platform.name_of(lease["owner"])


async def test_each_due_moment_fires_once_and_is_decided_and_executed(platform: Platform, organisation: str) -> None:
    async with _firing_every_second(platform, organisation):
        await _until_fired(platform, organisation, lambda fires: len(fires) >= 4)
    await platform.settled()

    fires = _fires(platform, organisation)
    assert max(Counter(fire["data"]["due_at"] for fire in fires).values()) == 1
    assert max(Counter(fire["id"] for fire in fires).values()) == 1
    assert {fire["user"] for fire in fires} == {USER}
    decisions = [fire["decisions"] for fire in fires]
    assert [[(decision["agent_key"], decision["outcome"]) for decision in made] for made in decisions] == [
        [(AGENT, "run")]
    ] * len(fires)
    runs = list(platform.database["runs"].find({"organisation": organisation, "agent_key": AGENT}))
    assert sorted(run["event_key"] for run in runs) == sorted(fire["_id"] for fire in fires)
    assert {(run["status"], run["attempt"]) for run in runs} == {("completed", 1)}
    shown = await platform.caller(organisation).runs()
    assert {run["trigger"]["kind"] for run in shown} == {"schedule"}


async def test_another_scheduler_goes_on_firing_when_the_leading_one_is_killed(
    platform: Platform, organisation: str
) -> None:
    async with _firing_every_second(platform, organisation):
        before = await _until_fired(platform, organisation, lambda fires: len(fires) >= 2)
        killed = _leader(platform)
        async with platform.without(killed):
            after = await _until_fired(platform, organisation, lambda fires: len(fires) >= len(before) + 3)
            successor = _leader(platform)

    assert successor != killed
    assert max(Counter(fire["data"]["due_at"] for fire in after).values()) == 1
    await platform.settled()
    check_invariants(platform.database)


async def test_a_fire_that_a_crash_left_unnoted_fires_again_as_the_same_event(
    platform: Platform, organisation: str
) -> None:
    schedules, mine = platform.database["schedules"], {"organisation": organisation, "agent_key": AGENT}
    seldom = timedelta(days=31)
    moment = EPOCH + (datetime.now(UTC) - EPOCH) // seldom * seldom
    await platform.caller(organisation).bind(
        AGENT, "user", USER, schedule={"every_seconds": int(seldom.total_seconds())}
    )
    await platform.caller(organisation).publish(member_joined(organisation))

    async def planned() -> list[datetime]:
        return [schedule["next_due_at"] for schedule in schedules.find(mine)]

    for _ in range(3):
        await until_seen(planned, lambda due: due == [moment + seldom])
        schedules.update_one(mine, {"$set": {"next_due_at": moment, "since": moment - timedelta(seconds=1)}})
    await until_seen(planned, lambda due: due == [moment + seldom])
    await platform.settled()

    (fire,) = _fires(platform, organisation)
    assert datetime.fromisoformat(fire["data"]["due_at"]) == moment
    assert platform.database["runs"].count_documents(mine) == 1


async def test_fires_of_a_disabled_agent_are_recorded_and_start_nothing(platform: Platform, organisation: str) -> None:
    async with _firing_every_second(platform, organisation, enabled=False):
        fires = await _until_fired(platform, organisation, lambda fires: len(fires) >= 2)

    decisions = [decision for fire in fires for decision in fire["decisions"]]
    assert {(decision["outcome"], decision["reason"]) for decision in decisions} == {("skipped", "disabled")}
    assert [decision["decided_by"] for decision in decisions] == [{"scope": "user", "scope_id": USER}] * len(fires)
    assert platform.database["runs"].count_documents({"organisation": organisation, "agent_key": AGENT}) == 0


async def test_a_member_that_left_is_not_served_any_more(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)

    async def schedules() -> int:
        return platform.database["schedules"].count_documents({"organisation": organisation})

    async with _firing_every_second(platform, organisation):
        await _until_fired(platform, organisation, bool)
        left = {**member_joined(organisation), "type": "member.left", "data": {}}
        await caller.publish(left)
        await until_seen(schedules, lambda count: count == 0)

    assert platform.database["members"].count_documents({"organisation": organisation, "is_member": True}) == 0


async def test_nothing_fires_when_background_work_is_switched_off(
    platform_without_timers: Platform, organisation: str
) -> None:
    platform = platform_without_timers
    started = datetime.fromisoformat(
        (await platform.caller(organisation).bind(AGENT, "user", USER, schedule=EVERY_SECOND))["updated_at"]
    )
    await platform.caller(organisation).publish(member_joined(organisation))

    async def leading_until() -> datetime:
        lease = platform.database["leases"].find_one({"_id": "scheduler"})
        assert lease is not None
        return lease["expires_at"]  # type: ignore[no-any-return]  # the driver returns a datetime

    # The lease is renewed every second for three: the scheduler was at work for more than two of them.
    await until_seen(leading_until, lambda until: until > started + timedelta(seconds=5.5))

    assert _fires(platform, organisation) == []
    assert platform.database["schedules"].count_documents({}) == 0
