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
from shared.store.members import Member
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
    session = {"type": "daily_session", "id": "apollo:ada:2026-11-20"}
    attempt.run |= {"project": event.projectid, "user": event.userid, "target": session}
    async with serving() as address:
        model = OpenAIModel("offline", f"{address}/v1", utc_now)
        done = await bench.agent_on(model)(attempt)
        await model.close()
    called = [step["name"] for step in await bench.recorded() if step["kind"] == "tool_call"]
    assert sorted(called) == sorted(AGENTS[key].tools)
    return done


def proposed(done: Done, kind: str) -> list[dict[str, Any]]:
    return [each for each in done.effects if each["kind"] == kind and each["dropped"] is None]


def changes(done: Done) -> list[tuple[str, Any]]:
    return [
        (each["change"]["action"], each["change"]["ticket_id"])
        for each in done.effects
        if each["kind"] == "ticket_change" and each["dropped"] is None
    ]


async def test_the_daily_review_rests_on_what_the_member_did(mongo: Mongo, project: None) -> None:
    done = await answered(mongo, "proactive_daily_review", fired("proactive_daily_review", Member(*WHERE.values())))

    assert [each["title"] for each in done.output["wins"]] == ["Merged APO-11"]
    assert ("close", "APO-11") in changes(done)
    (update,) = proposed(done, "session_update")
    assert update["change"]["text"] == done.output["review"]
    assert update["change"]["session_id"] == "apollo:ada:2026-11-20"


async def test_the_roadmap_has_an_epic_for_each_goal_with_the_tickets_that_are_there(
    mongo: Mongo, project: None
) -> None:
    data = {"goals": ["Refunds without staff", "No blurred barcode any more"], "horizon_weeks": 4}

    done = await answered(mongo, "roadmap_proposal_generator", an_event("roadmap.requested", data=data, **WHERE))

    items, epics = proposed(done, "roadmap_item"), proposed(done, "epic")
    assert [each["change"]["when"] for each in items] == ["weeks 1 to 2", "weeks 3 to 4"]
    assert [sorted(each["change"]["ticket_ids"]) for each in epics] == [[], ["T-1", "T-2"]]
    assert all(len(each["evidence"]) == 1 for each in (*items, *epics))


async def test_the_snapshot_tells_what_happened_in_its_days(mongo: Mongo, project: None) -> None:
    done = await answered(mongo, "snapshot_generator", an_event("snapshot.requested", data=PERIOD, **WHERE))

    (draft,) = proposed(done, "snapshot_draft")
    sections = {each["heading"]: each["lines"] for each in draft["change"]["sections"]}
    assert sections["Progress"] == ["Merged APO-11."]
    assert {"T-1: Barcode is blurred on small screens", "T-2: Barcode is blurred on small screens"} <= set(
        sections["Next"]
    )
    assert draft["evidence"] != []
