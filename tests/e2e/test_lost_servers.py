"""Any process but the database's may lose everything it has in the middle of 500 events: nothing is lost or done twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.duration import only_when_long
from tests.support.events import checkins
from tests.support.invariants import check_invariants
from tests.support.load import publish_all
from tests.support.platform import FEW_SLOTS, Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("lost servers"),
    pytest.mark.timeout(120),
]

EVENTS = 500
ACCEPTED_BEFORE = 200
COMPLETED_BEFORE = 20

Document = dict[str, Any]


class Load:
    """500 events on their way, some accepted, some done, some not even sent."""

    def __init__(self, platform: Platform, organisation: str) -> None:
        self._platform = platform
        self._organisation = organisation
        self._events = checkins(organisation, EVENTS, organisation)
        self._publishing: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Begin to publish, and return in the middle of it."""
        await self._platform.model.be_slow(0.25, self._organisation, times=EVENTS)
        self._publishing = asyncio.create_task(self._publish())
        await until_seen(
            self._progress, lambda seen: seen["accepted"] >= ACCEPTED_BEFORE and seen["completed"] >= COMPLETED_BEFORE
        )
        assert (await self._progress())["completed"] < EVENTS

    async def end(self) -> list[Document]:
        """Wait until everything has come to rest, check that it is right, and return the runs."""
        assert self._publishing is not None
        await self._publishing
        await self._platform.settled()
        runs = list(self._platform.database["runs"].find({"organisation": self._organisation}))
        assert (await self._progress())["accepted"] == EVENTS
        assert Counter(run["status"] for run in runs) == {"completed": EVENTS}
        proposals = self._platform.database["proposals"].count_documents({"organisation": self._organisation})
        assert proposals == EVENTS
        check_invariants(self._platform.database)
        return runs

    async def _publish(self) -> None:
        answers = await publish_all(self._platform.caller(self._organisation), self._events)
        assert {answer.status for answer in answers} == {202}

    async def _progress(self) -> Document:
        database, mine = self._platform.database, {"organisation": self._organisation}
        return {
            "accepted": database["events"].count_documents(mine),
            "completed": database["runs"].count_documents({**mine, "status": "completed"}),
        }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_platform(server_folder: Path) -> AsyncIterator[Platform]:
    """Yield a platform whose servers may be killed: each test ends when all is well again. Work piles up at its runners."""
    async with running_platform(server_folder, {"RUNNER_SLOTS": str(FEW_SLOTS)}) as started:
        yield started


@pytest.fixture
def load(own_platform: Platform, organisation: str) -> Load:
    return Load(own_platform, organisation)


async def _each_was_executed_once(platform: Platform, runs: list[Document]) -> None:
    assert Counter(run["attempt"] for run in runs) == {1: EVENTS}
    calls = await platform.model.calls(*(run["_id"] for run in runs))
    assert max(Counter(call["metadata"]["run_id"] for call in calls).values()) == 1
    assert Counter(call["status"] for call in calls) == {"completed": EVENTS}


async def test_nats_is_killed_and_loses_its_store(own_platform: Platform, load: Load) -> None:
    await load.begin()

    await own_platform.lose_nats()
    await own_platform.stack.start("nats")

    await _each_was_executed_once(own_platform, await load.end())


@only_when_long
async def test_nats_loses_its_store_while_no_scheduler_is_there_to_notice(own_platform: Platform, load: Load) -> None:
    await load.begin()

    async with own_platform.without("scheduler"):
        await own_platform.lose_nats()
        await own_platform.stack.start("nats")

    await _each_was_executed_once(own_platform, await load.end())


@only_when_long
async def test_gating_is_killed(own_platform: Platform, load: Load) -> None:
    await load.begin()

    async with own_platform.without("gating"):
        pass

    await _each_was_executed_once(own_platform, await load.end())


async def test_the_gateway_is_killed_and_its_callers_publish_again(own_platform: Platform, load: Load) -> None:
    await load.begin()

    async with own_platform.without("gateway"):
        pass

    await _each_was_executed_once(own_platform, await load.end())


async def test_mongod_is_killed(own_platform: Platform, load: Load) -> None:
    await load.begin()

    async with own_platform.without("mongod"):
        pass

    await load.end()


async def test_all_services_are_killed_at_once(own_platform: Platform, load: Load) -> None:
    await load.begin()

    async with own_platform.without(*own_platform.services):
        pass

    await load.end()
