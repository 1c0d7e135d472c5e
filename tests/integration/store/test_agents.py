"""Agents: built-in ones are seeded once, follow their catalogue, and never replace what an admin published."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.agents import AgentSpec, IntervalSchedule
from shared.store.agents import AgentStore, Seeding
from shared.store.lifecycle import ChangeKind, ChangeRecord, LifecycleStore
from shared.store.mongo import Mongo
from tests.unit.shared.given import LATER, NOW, a_spec, a_version

OLD = a_spec("noter", instructions="Take notes.")
NEW = a_spec("noter", instructions="Take short notes.")
ADMINS = a_spec("noter", instructions="Take no notes at all.")


async def published(agents: AgentStore) -> list[tuple[int, AgentSpec]]:
    return [(version.number, version.spec) for version in await agents.published()]


async def test_a_new_agent_is_created_as_its_first_version(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)

    assert await agents.seed(OLD, NOW) is Seeding.CREATED
    assert await agents.published() == [a_version(OLD)]


async def test_an_unchanged_agent_is_left_alone(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(OLD, NOW)
    before = await stored(mongo)

    assert [await agents.seed(OLD, LATER) for _ in range(3)] == [Seeding.UNCHANGED] * 3
    assert await stored(mongo) == before


async def test_a_changed_agent_is_published_as_the_next_version_and_the_old_one_stays(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(OLD, NOW)

    assert await agents.seed(NEW, LATER) is Seeding.REFRESHED

    assert await published(agents) == [(2, NEW)]
    assert await agents.version_of_id("noter:1") == a_version(OLD)
    assert await agents.version_of_id("noter:3") is None


async def test_going_back_to_the_old_one_is_a_new_version_too(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    for spec in (OLD, NEW, OLD):
        await agents.seed(spec, NOW)

    assert await published(agents) == [(3, OLD)]


async def test_what_an_admin_published_is_never_replaced(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(OLD, NOW)
    await agents.publish(ADMINS, "olga", LATER)

    assert await agents.seed(OLD, LATER) is Seeding.UNCHANGED
    assert await agents.seed(NEW, LATER) is Seeding.KEPT_ADMINS
    assert await agents.seed(NEW, LATER) is Seeding.UNCHANGED

    assert await published(agents) == [(2, ADMINS)]


async def test_an_agent_that_an_admin_made_is_not_taken_by_a_built_in_one_of_the_same_key(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.publish(ADMINS, "olga", NOW)

    assert await agents.seed(OLD, LATER) is Seeding.KEPT_ADMINS
    assert await published(agents) == [(1, ADMINS)]


@pytest.mark.parametrize("round_number", range(3))
async def test_many_that_seed_at_once_make_one_version(mongo: Mongo, round_number: int) -> None:
    agents = AgentStore(mongo.database)

    results = await asyncio.gather(*(agents.seed(OLD, NOW) for _ in range(8)))

    assert set(results) <= {Seeding.CREATED, Seeding.UNCHANGED}
    assert await published(agents) == [(1, OLD)]
    assert await mongo.database["agent_versions"].count_documents({}) == 1


async def test_many_that_refresh_at_once_make_one_version(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(OLD, NOW)

    await asyncio.gather(*(agents.seed(NEW, LATER) for _ in range(8)))

    assert await published(agents) == [(2, NEW)]
    assert await mongo.database["agent_versions"].count_documents({}) == 2


@pytest.mark.parametrize("round_number", range(3))
async def test_when_two_releases_seed_at_once_the_next_start_publishes_its_own(mongo: Mongo, round_number: int) -> None:
    agents = AgentStore(mongo.database)
    await asyncio.gather(agents.seed(OLD, NOW), agents.seed(NEW, NOW))

    await agents.seed(NEW, LATER)

    assert [version.spec for version in await agents.published()] == [NEW]


async def test_a_seeding_that_was_cut_short_is_made_up_for(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(OLD, NOW)
    await mongo.database["agents"].delete_many({})

    await agents.seed(NEW, LATER)
    await agents.seed(NEW, LATER)

    assert [version.spec for version in await agents.published()] == [NEW]


async def test_a_specification_comes_back_with_every_field(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    schema = {"type": "object", "properties": {"$ref.odd": {"type": "string"}}}
    whole = a_spec(
        "pulse",
        handler="llm",
        output_schema=schema,
        memory=["user", "project"],
        effects=["memory_diff"],
        triggers=[{"event": "doc.created", "target": {"type": "doc", "id": "{data.doc_id}"}}],
        schedule_trigger={"schedule": {"daily_hour": 7}, "target": {"type": "day", "id": "{data.date}"}},
        priority_level="critical",
    )

    await agents.seed(whole, NOW)

    assert await agents.published() == [a_version(whole)]


async def stored(mongo: Mongo) -> list[dict[str, Any]]:
    return [
        *[document async for document in mongo.database["agents"].find({})],
        *[document async for document in mongo.database["agent_versions"].find({})],
    ]


async def test_a_doubtful_schedule_is_told_once_when_it_is_published(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    trigger = {"schedule": IntervalSchedule(every_seconds=60), "target": {"type": "day", "id": "{data.date}"}}
    hasty = a_spec("hasty", schedule_trigger=trigger, timeout_seconds=61)

    with capture_logs() as logged:
        for _ in range(2):
            await agents.seed(hasty, NOW)
        await agents.seed(OLD, NOW)
        await agents.publish(hasty.model_copy(update={"name": "Hastier"}), "olga", LATER)

    doubted = [(each["agent"], each["version"]) for each in logged if each["event"] == "schedule.doubted"]
    assert doubted == [("hasty", 1), ("hasty", 2)]
    assert "timeout_seconds" in logged[0]["warning"]


async def test_an_agent_that_does_not_start_by_itself_is_inactive_until_somebody_starts_it(mongo: Mongo) -> None:
    agents, lifecycle = AgentStore(mongo.database), LifecycleStore(mongo)
    waiting = a_spec("waiting", auto_start=False)
    await agents.publish(waiting, "olga", NOW)
    at_first = await agents.statuses()
    await lifecycle.set_status("waiting", ChangeRecord(ChangeKind.STATUS_CHANGED, NOW, "olga", "inactive", "active"))

    await agents.publish(waiting.model_copy(update={"description": "Better."}), "olga", LATER)
    republished = await agents.statuses()
    await lifecycle.archive("waiting", ChangeRecord(ChangeKind.ARCHIVED, LATER, "olga", "active"))
    await agents.publish(waiting, "olga", LATER)

    assert at_first == {"waiting": "inactive"}
    assert republished == {"waiting": "active"}
    assert await agents.statuses() == {"waiting": "inactive"}
