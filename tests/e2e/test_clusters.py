"""On a NATS cluster of three and a replica set of three: leaders die in the middle of the work, and nothing is lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.streams import RUNS
from tests.support.events import checkins
from tests.support.invariants import check_invariants
from tests.support.load import publish_all
from tests.support.platform import FEW_SLOTS, Platform, running_platform
from tests.support.waiting import until_seen

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("heavy"), pytest.mark.timeout(180)]

COUNT = 300
ACCEPTED_BEFORE = 100
COMPLETED_BEFORE = 10

Document = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="session")
async def clusters(server_folder: Path) -> AsyncIterator[Platform]:
    async with running_platform(server_folder, {"RUNNER_SLOTS": str(FEW_SLOTS)}, cluster=3) as started:
        yield started


async def test_the_leader_of_the_runs_and_the_primary_are_killed_in_the_middle_of_the_work(
    clusters: Platform, organisation: str
) -> None:
    stack, database, mine = clusters.stack, clusters.database, {"organisation": organisation}
    assert stack.nats is not None
    assert stack.mongo is not None
    await clusters.model.be_slow(0.25, organisation, times=COUNT)
    events = checkins(organisation, COUNT, organisation)
    publishing = asyncio.create_task(publish_all(clusters.caller(organisation), events))

    async def progress() -> tuple[int, int]:
        completed = database["runs"].count_documents({**mine, "status": "completed"})
        return database["events"].count_documents(mine), completed

    await until_seen(progress, lambda seen: seen[0] >= ACCEPTED_BEFORE and seen[1] >= COMPLETED_BEFORE)
    leader, primary = await asyncio.gather(stack.nats.stream_leader(RUNS.name), stack.mongo.primary())
    assert leader is not None
    assert primary is not None
    async with clusters.without(leader, primary):
        answers = await publishing
        await until_seen(progress, lambda seen: seen == (COUNT, COUNT), 60)
    await clusters.settled()

    statuses = Counter(run["status"] for run in database["runs"].find(mine))
    assert {answer.status for answer in answers} == {202}
    assert statuses == {"completed": COUNT}
    assert database["proposals"].count_documents(mine) == COUNT
    check_invariants(database)
