"""The built-in Agents that look before they answer, on the offline model with real tools."""

from typing import Any

import orjson
import pytest

from contracts.envelope import Event
from infra.offline_model.server import serving
from services.runner.tools.registry import TOOLS
from services.scheduler.fire import fire
from shared.catalog.builtin import builtin_agents
from shared.clock import utc_now
from shared.domain.event import accepted_event
from shared.domain.run import Done
from shared.llm.openai_client import OpenAIModel
from shared.store.events import EventStore
from shared.store.members import Member, whole_project
from shared.store.mongo import Mongo
from shared.store.schedules import ScheduleInForce
from tests.integration.services.agents import Bench
from tests.unit.shared.given import NOW, an_event

AGENTS = {agent.key: agent for agent in builtin_agents(900)}
BLURRED = {"ticket_id": "T-1", "title": "Barcode is blurred on small screens", "status": "open"}
WHERE = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"}
PERIOD = {"snapshot_id": "week", "period_start": NOW.date().isoformat(), "period_end": NOW.date().isoformat()}


@pytest.fixture
async def project(mongo: Mongo) -> None:
    """A project in which two tickets were opened, the same wish twice, and somebody checked in."""
    happened = [
        an_event("ticket.opened", id="1", data=BLURRED, **WHERE),
        an_event("ticket.opened", id="2", data={**BLURRED, "ticket_id": "T-2"}, **(WHERE | {"userid": "bob"})),
        an_event("checkin.submitted", id="3", data={"yesterday": "Merged APO-11."}, **WHERE),
    ]
    stored = [accepted_event(each, each.to_json().decode(), NOW) for each in happened]
    await EventStore(mongo.database).accept(stored)


def fired(key: str, member: Member) -> Event:
    trigger = AGENTS[key].schedule_trigger
    assert trigger is not None
    assert trigger.schedule is not None
    return fire(ScheduleInForce(key, member, trigger.schedule, NOW, NOW), NOW, NOW)


async def answered(mongo: Mongo, key: str, event: Event) -> Done:
    bench = Bench(mongo, AGENTS[key], tools=tuple(TOOLS.values()))
    attempt = bench.attempt()
    attempt.event = orjson.loads(event.to_json())
    attempt.run |= {"project": event.projectid, "user": event.userid}
    async with serving() as address:
        model = OpenAIModel("offline", f"{address}/v1", utc_now)
        done = await bench.agent_on(model)(attempt)
        await model.close()
    called = [step["name"] for step in await bench.recorded() if step["kind"] == "tool_call"]
    assert sorted(called) == sorted(AGENTS[key].tools)
    return done


def changes(done: Done) -> list[tuple[str, Any]]:
    return [
        (each["change"]["action"], each["change"]["ticket_id"])
        for each in done.effects
        if each["kind"] == "ticket_change" and each["dropped"] is None
    ]


@pytest.mark.parametrize("nightly", [True, False])
async def test_the_scan_finds_the_same_wish_twice_whoever_wrote_it(mongo: Mongo, project: None, nightly: bool) -> None:
    asked = an_event("ticket.scan_requested", **WHERE, data={"ticket_ids": []})
    event = fired("ticket_conflict_scanner", whole_project("acme", "apollo")) if nightly else asked

    done = await answered(mongo, "ticket_conflict_scanner", event)

    assert [each["ticket_ids"] for each in done.output["duplicates"]] == [["T-1", "T-2"]]
    assert done.output["summary"] == "2 open tickets were compared: 1 duplicates and 0 conflicts."
    assert changes(done) == [("close", "T-2")]


async def test_the_daily_review_rests_on_what_the_member_did(mongo: Mongo, project: None) -> None:
    done = await answered(mongo, "proactive_daily_review", fired("proactive_daily_review", Member(*WHERE.values())))

    assert [each["title"] for each in done.output["wins"]] == ["Merged APO-11"]
    assert ("close", "APO-11") in changes(done)


async def test_the_roadmap_opens_a_ticket_for_the_goal_that_has_none(mongo: Mongo, project: None) -> None:
    data = {"goals": ["Refunds without staff", "No blurred barcode any more"], "horizon_weeks": 4}

    done = await answered(mongo, "roadmap_proposal_generator", an_event("roadmap.requested", data=data, **WHERE))

    assert [(each["from_week"], each["to_week"]) for each in done.output["roadmap"]] == [(1, 2), (3, 4)]
    assert [sorted(each["tickets"]) for each in done.output["epics"]] == [[], ["T-1", "T-2"]]
    assert changes(done) == [("open", None)]


async def test_the_snapshot_tells_what_happened_in_its_days(mongo: Mongo, project: None) -> None:
    done = await answered(mongo, "snapshot_generator", an_event("snapshot.requested", data=PERIOD, **WHERE))

    sections = {each["heading"]: each["lines"] for each in done.output["sections"]}
    assert sections["Progress"] == ["Merged APO-11."]
    assert {"T-1: Barcode is blurred on small screens", "T-2: Barcode is blurred on small screens"} <= set(
        sections["Next"]
    )
    assert done.effects == ()
