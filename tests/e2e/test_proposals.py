"""Proposals that meet newer text, or two people at once."""

import asyncio

import pytest

from tests.support.caller import Caller
from tests.support.events import DAY, checkin, event
from tests.support.platform import Platform

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

FIRST = "I prefer meetings in the morning."
SECOND = "I no longer like meetings in the morning, from now on I prefer meetings at noon."
THIRD = "I changed my mind, from now on I prefer meetings at four."


async def _only_proposal(caller: Caller, organisation: str, text: str) -> dict[str, object]:
    (proposal,) = await caller.proposals_of(await caller.start_run(checkin(organisation, text)))
    return proposal


async def test_a_proposal_supersedes_older_ones_and_is_refused_over_newer_text_of_a_person(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    first = await _only_proposal(caller, organisation, FIRST)
    await caller.post(f"/api/proposals/{first['id']}/approve")
    second = await _only_proposal(caller, organisation, SECOND)
    third = await _only_proposal(caller, organisation, THIRD)
    (block,) = await caller.memory()
    by_hand = {"fields": {first["field"]: second["proposed_value"]}, "base_version": 1}

    superseded = await caller.post(f"/api/proposals/{second['id']}/approve")
    written = await caller.put(f"/api/memory/{block['id']}", by_hand)
    stale = await caller.post(f"/api/proposals/{third['id']}/approve")

    places = {(each["block_label"], each["field"], each["operation"]) for each in (second, third)}
    assert places == {(first["block_label"], first["field"], "replace")}
    assert (superseded.status, superseded.code) == (409, "proposal_decided")
    assert (written.status, written.body["version"]) == (200, 2)
    assert (stale.status, stale.code) == (409, "proposal_stale")
    texts = [stale.body["base"], stale.body["current"], stale.body["proposed"]]
    assert texts == [first["proposed_value"], second["proposed_value"], third["proposed_value"]]
    (block,) = await caller.memory()
    assert (block["fields"][first["field"]], block["version"]) == (second["proposed_value"], 2)
    (pending,) = await caller.proposals(status="pending")
    assert pending["id"] == third["id"]


async def test_approving_twice_at_once_applies_once(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    proposal = await _only_proposal(caller, organisation, FIRST)
    path = f"/api/proposals/{proposal['id']}/approve"

    answers = await asyncio.gather(*(caller.post(path) for _ in range(8)))

    assert [answer.status for answer in answers] == [200] * 8
    assert [answer.body for answer in answers] == [answers[0].body] * 8
    (block,) = await caller.memory()
    assert (block["fields"], block["version"]) == ({proposal["field"]: proposal["proposed_value"]}, 1)
    assert platform.database["memory_versions"].count_documents({"organisation": organisation}) == 1


async def test_approving_and_rejecting_at_once_decides_one_way(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    proposal = await _only_proposal(caller, organisation, FIRST)
    path = f"/api/proposals/{proposal['id']}"

    answers = await asyncio.gather(
        *(caller.post(f"{path}/{'approve' if number % 2 else 'reject'}") for number in range(6))
    )

    (decided,) = await caller.proposals()
    statuses = {answer.body["status"] for answer in answers if answer.status == 200}
    assert statuses == {decided["status"]}
    assert sorted(answer.status for answer in answers) == [200] * 3 + [409] * 3
    assert {answer.code for answer in answers if answer.status == 409} == {"proposal_decided"}
    assert len(await caller.memory()) == (1 if decided["status"] == "approved" else 0)


async def test_proposals_for_one_field_that_are_approved_at_once_are_both_in_it(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    first = await _only_proposal(caller, organisation, "I prefer meetings in the morning.")
    second = await _only_proposal(caller, organisation, "I prefer meetings without slides.")

    answers = await asyncio.gather(*(caller.post(f"/api/proposals/{each['id']}/approve") for each in (first, second)))

    (block,) = await caller.memory()
    assert [answer.status for answer in answers] == [200, 200]
    assert sorted(answer.body["applied_version"] for answer in answers) == [1, 2]
    assert {first["field"], second["field"]} == {"meetings"}
    lines = sorted(block["fields"]["meetings"].splitlines())
    assert lines == sorted([str(first["proposed_value"]), str(second["proposed_value"])])


async def test_an_approved_ticket_change_leaves_the_inbox_and_is_told_once(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    blocked = {"date": DAY, "blockers": "Blocked by missing API keys for the billing sandbox, see APO-12."}
    run_id = await caller.start_run(event("checkin.submitted", organisation, blocked))
    (change,) = [each for each in await caller.proposals_of(run_id) if each["kind"] == "ticket_change"]
    before = (await caller.get("/api/inbox")).body

    await asyncio.gather(*(caller.post(f"/api/proposals/{change['id']}/approve") for _ in range(5)))

    after = (await caller.get("/api/inbox")).body
    assert change["id"] in {each["id"] for each in before["proposals"]}
    assert change["id"] not in {each["id"] for each in after["proposals"]}
    assert after["total"] == before["total"] - 1
    (told,) = (await caller.get("/api/events", {"type": "proposal.approved"})).body["events"]
    assert told["id"] == f"{change['id']}:approved"
    shown = (await caller.get(f"/api/events/{told['key']}")).body
    assert shown["event"]["data"]["change"] == change["change"]
    assert shown["event"]["data"]["ticket_ids"] == ["APO-12"]
