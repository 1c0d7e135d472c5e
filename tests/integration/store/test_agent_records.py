"""Agents of organisations in the store: drafts, versions, statuses and archives, each organisation for itself."""

import asyncio

import pytest

from contracts.agent_kinds import AgentStatus
from shared.store.agent_documents import Draft
from shared.store.agent_records import AgentRecords
from shared.store.agents import AgentStore, Seeding, VersionTaken
from shared.store.lifecycle import ChangeKind, ChangeRecord, LifecycleStore
from shared.store.mongo import Mongo
from shared.store.watch import ConfigurationWatch
from tests.unit.shared.given import LATER, NOW, a_spec

BUILT_IN = a_spec("noter", instructions="Take notes.")
ACMES = a_spec("noter", instructions="Take Acme's notes.")
ARCHIVED = ChangeRecord(ChangeKind.ARCHIVED, LATER, "olga", "active")
PAUSED = ChangeRecord(ChangeKind.STATUS_CHANGED, LATER, "olga", "active", "paused")
DRAFT = Draft({"key": "noter"}, "olga", NOW)


async def test_an_organisations_version_leaves_the_servers_alone(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(BUILT_IN, NOW)

    own = await agents.publish(ACMES, "olga", LATER, organisation="acme", note="Ours.")

    assert (own.id, own.number) == ("acme/noter:1", 1)
    assert {version.id: version.spec for version in await agents.published()} == {
        "noter:1": BUILT_IN,
        "acme/noter:1": ACMES,
    }
    assert await agents.version_of_id("acme/noter:1") == own
    assert await agents.seed(BUILT_IN, LATER) is Seeding.UNCHANGED


async def test_what_is_published_already_is_not_published_again(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)

    numbers = [(await agents.publish(ACMES, "olga", NOW, organisation="acme")).number for _ in range(3)]

    assert numbers == [1, 1, 1]
    assert await mongo.database["agent_versions"].count_documents({}) == 1


async def test_of_two_that_publish_at_once_one_is_told_of_the_other(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    specs = [a_spec("noter", instructions=str(number)) for number in range(4)]

    results = await asyncio.gather(*(agents.publish(spec, "olga", NOW) for spec in specs), return_exceptions=True)

    refused = [result for result in results if isinstance(result, VersionTaken)]
    published = [result for result in results if not isinstance(result, BaseException)]
    assert len(refused) + len(published) == 4
    assert len({version.number for version in published}) == len(published) >= 1


async def test_a_publish_that_was_cut_short_is_made_up_for_by_the_next(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.publish(BUILT_IN, "olga", NOW)
    await mongo.database["agents"].update_one({"_id": "noter"}, {"$set": {"published": None, "content_hash": ""}})

    with pytest.raises(VersionTaken):
        await agents.publish(ACMES, "olga", LATER)

    assert (await agents.publish(ACMES, "olga", LATER)).number == 2


async def test_a_draft_is_nothing_to_those_who_run_agents(mongo: Mongo) -> None:
    agents, records = AgentStore(mongo.database), AgentRecords(mongo.database)

    assert await records.save_draft("acme", "noter", DRAFT, is_new=True)

    assert await agents.published() == []
    (kept,) = await records.of_key("acme", "noter")
    assert (kept.published, kept.draft, kept.created_by) == (None, DRAFT, "olga")


async def test_a_new_agent_is_not_written_over_another(mongo: Mongo) -> None:
    records = AgentRecords(mongo.database)
    await records.save_draft("acme", "noter", DRAFT, is_new=True)

    assert not await records.save_draft("acme", "noter", Draft({}, "ada", LATER), is_new=True)
    assert await records.save_draft("harbour", "noter", Draft({}, "ada", LATER), is_new=True)
    assert await records.save_draft("acme", "noter", Draft({}, "ada", LATER), is_new=False)
    assert not await records.save_draft("acme", "reader", DRAFT, is_new=False)


async def test_a_draft_is_dropped_unless_another_was_saved(mongo: Mongo) -> None:
    records = AgentRecords(mongo.database)
    await records.save_draft("acme", "noter", DRAFT, is_new=True)
    newer = Draft({"key": "noter", "name": "Noter"}, "ada", LATER)
    await records.save_draft("acme", "noter", newer, is_new=False)

    await records.drop_draft("acme", "noter", DRAFT)
    assert (await records.of_key("acme", "noter"))[0].draft == newer

    await records.drop_draft("acme", "noter", newer)
    assert (await records.of_key("acme", "noter"))[0].draft is None


async def test_an_archived_agent_is_published_no_more_and_its_versions_stay(mongo: Mongo) -> None:
    agents, records = AgentStore(mongo.database), AgentRecords(mongo.database)
    await agents.publish(ACMES, "olga", NOW, organisation="acme")

    await LifecycleStore(mongo).archive("acme/noter", ARCHIVED)

    assert await agents.published() == []
    assert await agents.version_of_id("acme/noter:1") is not None
    assert await records.save_draft("acme", "noter", DRAFT, is_new=True)
    revived = await agents.publish(ACMES, "olga", LATER, organisation="acme")
    assert [version.id for version in await agents.published()] == [revived.id] == ["acme/noter:2"]


async def test_a_built_in_agent_that_was_archived_stays_so_when_it_is_refreshed(mongo: Mongo) -> None:
    agents = AgentStore(mongo.database)
    await agents.seed(BUILT_IN, NOW)
    await LifecycleStore(mongo).archive("noter", ARCHIVED)

    await agents.seed(ACMES, LATER)

    assert await agents.published() == []


async def test_the_drafts_and_agents_of_others_are_not_seen(mongo: Mongo) -> None:
    agents, records = AgentStore(mongo.database), AgentRecords(mongo.database)
    await agents.seed(BUILT_IN, NOW)
    await agents.publish(ACMES, "olga", NOW, organisation="acme")
    await agents.publish(ACMES, "kim", NOW, organisation="harbour")

    assert {agent.id for agent in await records.visible("acme")} == {"noter", "acme/noter"}
    assert {agent.id for agent in await records.of_key("harbour", "noter")} == {"noter", "harbour/noter"}
    assert [version.author for version in await records.versions("harbour", "noter", 0, 10)] == ["kim"]
    assert [version.author for version in await records.versions("", "noter", 0, 10)] == ["system"]


async def test_a_status_and_an_override_reach_whoever_watches(mongo: Mongo) -> None:
    agents, watch = AgentStore(mongo.database), ConfigurationWatch(mongo.database)
    await agents.seed(BUILT_IN, NOW)
    await agents.publish(ACMES, "olga", NOW, organisation="acme")
    await watch.look()

    await LifecycleStore(mongo).set_status("acme/noter", PAUSED)
    await watch.look()

    effective = {name: watch.configuration.effective(ACMES, name, None, None) for name in ("acme", "harbour")}
    assert {name: each.status for name, each in effective.items()} == {
        "acme": AgentStatus.PAUSED,
        "harbour": AgentStatus.ACTIVE,
    }


async def test_agents_and_versions_as_they_were_stored_before_are_read(mongo: Mongo) -> None:
    agents, records = AgentStore(mongo.database), AgentRecords(mongo.database)
    spec_json = '{"key": "noter", "name": "Noter", "handler": "noop"}'
    old = {"agent_key": "noter", "number": 1, "origin": "built_in", "author": "system", "published_at": NOW}
    await mongo.database["agent_versions"].insert_one(
        old | {"_id": "noter:1", "content_hash": "c0ffee", "spec_json": spec_json}
    )
    await mongo.database["agents"].insert_one(
        {"_id": "noter", "published": 1, "origin": "built_in", "content_hash": "c0ffee", "seeded_hash": "c0ffee"}
    )

    (agent,) = await records.visible("acme")
    (version,) = await records.versions("", "noter", 0, 10)

    assert (agent.organisation, agent.status, version.note) == ("", AgentStatus.ACTIVE, "")
    assert await agents.seed(BUILT_IN, LATER) is Seeding.REFRESHED
