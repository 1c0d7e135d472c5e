"""Nobody sees or decides what belongs to another organisation, or to another user."""

import pytest

from tests.support.events import PROJECT, checkin, member_joined
from tests.support.platform import Platform

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]


async def test_another_organisation_finds_nothing(platform: Platform, organisation: str) -> None:
    owner = platform.caller(organisation)
    stranger = platform.caller(f"{organisation}-other", roles=("backend", "organisation_admin", "server_admin"))
    run_id = await owner.start_run(checkin(organisation))
    (proposal,) = await owner.proposals_of(run_id)

    run = await stranger.get(f"/api/agent-runs/{run_id}")
    shown = await stranger.get(f"/api/proposals/{proposal['id']}")
    approved = await stranger.post(f"/api/proposals/{proposal['id']}/approve")
    rejected = await stranger.post(f"/api/proposals/{proposal['id']}/reject")

    assert [answer.status for answer in (run, shown, approved, rejected)] == [404] * 4
    assert {answer.code for answer in (run, shown, approved, rejected)} == {"not_found"}
    assert await stranger.runs() == await stranger.runs(all_users="true") == await stranger.runs(user="ada") == []
    assert await stranger.proposals() == await stranger.proposals(run_id=run_id) == []
    assert (await owner.proposals())[0]["status"] == "pending"


async def test_memory_and_bindings_of_another_organisation_are_not_shown(platform: Platform, organisation: str) -> None:
    owner = platform.caller(organisation)
    stranger = platform.caller(f"{organisation}-other")
    (proposal,) = await owner.proposals_of(await owner.start_run(checkin(organisation)))
    await owner.post(f"/api/proposals/{proposal['id']}/approve")
    await owner.bind("operating_pulse", "organisation", enabled=False)

    bindings = await stranger.get("/api/bindings")

    assert await stranger.memory(user="ada", project=PROJECT) == []
    assert [binding for binding in bindings.body["bindings"] if binding["scope"] != "server"] == []
    assert len(await owner.memory()) == 1


async def test_a_plain_user_sees_and_decides_own_things_only(platform: Platform, organisation: str) -> None:
    ada = platform.caller(organisation, "ada", roles=())
    grace = platform.caller(organisation, "grace", roles=())
    run_id = await ada.start_run(checkin(organisation))
    (proposal,) = await ada.proposals_of(run_id)

    assert (await grace.get(f"/api/agent-runs/{run_id}")).status == 404
    assert (await grace.get(f"/api/proposals/{proposal['id']}")).status == 404
    assert (await grace.post(f"/api/proposals/{proposal['id']}/approve")).status == 404
    assert (await grace.post(f"/api/proposals/{proposal['id']}/reject")).status == 404
    assert await grace.runs() == await grace.proposals() == []
    for path, query in (
        ("/api/agent-runs", {"user": "ada"}),
        ("/api/agent-runs", {"all_users": "true"}),
        ("/api/proposals", {"user": "ada"}),
        ("/api/memory", {"user": "ada"}),
        ("/api/memory", {"project": PROJECT}),
    ):
        assert (await grace.get(path, query)).code == "forbidden", (path, query)
    assert (await ada.post(f"/api/proposals/{proposal['id']}/approve")).status == 200


async def test_a_member_of_a_project_sees_its_memory(platform: Platform, organisation: str) -> None:
    backend = platform.caller(organisation)
    grace = platform.caller(organisation, "grace", roles=())
    text = "We agreed to ship the parser in December."
    (proposal,) = await backend.proposals_of(await backend.start_run(checkin(organisation, text)))
    await backend.post(f"/api/proposals/{proposal['id']}/approve")

    before = await grace.get("/api/memory", {"project": PROJECT})
    joined = await backend.publish(member_joined(organisation, "grace"))
    (block,) = await grace.memory(project=PROJECT)

    assert (before.status, before.code, joined.status) == (403, "forbidden", 202)
    assert block["owner"] == {"type": "project", "id": PROJECT}
