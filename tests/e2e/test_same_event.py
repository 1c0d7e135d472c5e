"""One event published several times, at once and again later."""

import asyncio

import pytest

from tests.support.events import checkin
from tests.support.invariants import check_invariants
from tests.support.platform import Platform

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]


async def test_an_event_published_five_times_at_once_and_again_after_a_restart_is_one_run(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    event = checkin(organisation, "I prefer reviews before lunch. I never work on Fridays.")

    at_once = await asyncio.gather(*(caller.publish(event) for _ in range(5)))
    proposals = await caller.proposals_of(at_once[0].body["agent_runs"][0]["id"])
    await platform.restart(*platform.services)
    later = await caller.publish(event)
    await platform.settled()

    answers = [answer.body for answer in (*at_once, later)]
    assert {answer.status for answer in (*at_once, later)} == {202}
    assert answers == [answers[0]] * 6
    assert not answers[0]["events"][0]["pending"]
    (run,) = await caller.runs()
    assert (run["status"], run["attempt"]) == ("completed", 1)
    assert len(await platform.model.calls(run["id"])) == 1
    assert [proposal["id"] for proposal in await caller.proposals()] == [proposal["id"] for proposal in proposals]
    assert len(proposals) == 2
    check_invariants(platform.database)


async def test_an_event_that_is_in_one_batch_twice_is_one_run(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)
    event = checkin(organisation)

    answer = await caller.publish(event, event)

    first, second = answer.body["events"]
    assert answer.status == 202
    assert (first["index"], second["index"]) == (0, 1)
    assert first["agent_runs"] == second["agent_runs"]
    assert len(await caller.runs()) == 1


async def test_the_same_id_is_another_event_in_another_organisation_or_of_another_source(
    platform: Platform, organisation: str
) -> None:
    event = checkin(organisation)
    other = f"{organisation}-other"

    answers = [
        await platform.caller(organisation).publish(event),
        await platform.caller(other).publish({**event, "organisationid": other}),
        await platform.caller(organisation).publish({**event, "source": "/backend/elsewhere"}),
    ]

    assert [answer.status for answer in answers] == [202, 202, 202]
    assert len({answer.body["agent_runs"][0]["id"] for answer in answers}) == 3
