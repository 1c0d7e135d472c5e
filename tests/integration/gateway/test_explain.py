"""GET .../explain of events and Agents: what is behind the words is read, and only what is the caller's to see."""

from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from contracts.agents import IntervalSchedule, Scope
from contracts.envelope import Event
from services.gating.queueing import new_run
from services.scheduler.background import BackgroundNote
from services.scheduler.leader import Leader
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import record
from shared.domain.decision import Coalesced, Reason, RunDecided, Skipped, Target
from shared.domain.event import accepted_event
from shared.domain.slot import QueueLimits
from shared.store.agents import AgentStore
from shared.store.background import BackgroundStore
from shared.store.bindings import BindingStore
from shared.store.events import EventStore, GatedEvent
from shared.store.leases import LeaseStore
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import NOW, a_run_decided, a_spec, an_event, triggered

ADMIN = "organisation_admin"
FIRES = {"schedule": {"every_seconds": 900}, "target": {"type": "day", "id": "{data.date}"}}
OLGA = ScopeRef(Scope.USER, "olga")


def checkin(id: str, user: str = "olga", organisation: str = "acme") -> Event:
    return an_event(id=id, source="/product", organisationid=organisation, projectid="apollo", userid=user)


@pytest_asyncio.fixture
async def agents(mongo: Mongo) -> None:
    store = AgentStore(mongo.database)
    for spec in (triggered("noter"), a_spec("pulse", schedule_trigger=FIRES)):
        await store.publish(spec, "tests", NOW)


async def decided(mongo: Mongo, event: Event, *decisions: RunDecided | Coalesced | Skipped) -> None:
    events = EventStore(mongo.database)
    await events.accept([accepted_event(event, event.to_json().decode(), NOW)])
    await events.record_decisions([GatedEvent(event.key, [record(event.key, each) for each in decisions])], NOW)


async def queued(mongo: Mongo, event: Event, decision: RunDecided) -> str:
    run, _ = new_run(event, record(event.key, decision), Configuration(), QueueLimits(organisation=9), NOW)
    await RunStore(mongo.database).add([run])
    return run.id


async def explained(asking: Asking, path: str, *roles: str, **params: str) -> dict[str, Any]:
    answer = await asking.ask("GET", path, *roles, params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_an_event_is_explained_with_its_binding_and_its_runs(asking: Asking, mongo: Mongo, agents: None) -> None:
    event = checkin("checkin-1")
    off = Binding("acme", OLGA, "reader", enabled=False, updated_at=NOW, updated_by="olga")
    await BindingStore(mongo.database).put(off)
    skipped = Skipped("reader", 1, Reason.DISABLED, OLGA)
    run_id = await queued(mongo, event, a_run_decided())
    await decided(mongo, event, a_run_decided(), skipped)

    answer = await explained(asking, "/api/events/checkin-1/explain")

    started, not_started = answer["decisions"]
    assert answer["summary"] == "It started 1 run, 1 Agent did not start."
    assert (started["run"]["id"], started["triggers"][0]["event"]) == (run_id, "checkin.submitted")
    assert not_started["binding"]["updated_by"] == "olga"
    for path, params in ((event.key, {}), ("checkin-1", {"source": "/product"})):
        assert await explained(asking, f"/api/events/{path}/explain", **params) | {"decisions": 0} == answer | {
            "decisions": 0
        }


async def test_an_event_of_somebody_else_is_not_there(asking: Asking, mongo: Mongo) -> None:
    mine, adas, theirs = checkin("a"), checkin("b", user="ada"), checkin("c", organisation="other")
    for event in (mine, adas, theirs):
        await decided(mongo, event)

    async def status(event: Event, *roles: str) -> int:
        by_key = await asking.ask("GET", f"/api/events/{event.key}/explain", *roles)
        by_id = await asking.ask("GET", f"/api/events/{event.id}/explain", *roles)
        assert by_key.status_code == by_id.status_code
        return by_key.status_code

    assert [await status(event) for event in (mine, adas, theirs)] == [200, 404, 404]
    assert [await status(event, ADMIN) for event in (mine, adas, theirs)] == [200, 200, 404]


async def test_the_run_of_another_user_that_took_the_event_is_only_named(asking: Asking, mongo: Mongo) -> None:
    mine, bobs = checkin("a"), checkin("b", user="bob")
    run_id = await queued(mongo, bobs, a_run_decided())
    await decided(mongo, mine, Coalesced("noter", 1, Target("doc", "plan"), None, into=run_id))

    (to_me,) = (await explained(asking, "/api/events/a/explain"))["decisions"]
    (to_admin,) = (await explained(asking, "/api/events/a/explain", ADMIN))["decisions"]

    assert (to_me["run"], to_me["decision"]["run_id"]) == (None, run_id)
    assert to_admin["run"]["id"] == run_id


@pytest.mark.parametrize("is_enabled", [True, False])
async def test_the_setting_of_the_scheduler_that_leads_is_told(
    asking: Asking, mongo: Mongo, agents: None, *, is_enabled: bool
) -> None:
    leader = Leader(LeaseStore(mongo.database), "scheduler-1", 3)
    await BackgroundNote(BackgroundStore(mongo.database), leader, asking.gateway.clock, is_enabled).note()

    effective = await explained(asking, "/api/agents/pulse/effective")
    (setting,) = [
        each
        for each in (await explained(asking, "/api/settings", scope="user"))["settings"]
        if each["agent_key"] == "pulse"
    ]

    assert effective["values"]["operating_background_enabled"]["value"] is is_enabled
    assert ("no schedule fires" in effective["explanation"]) is not is_enabled
    assert setting["explanation"] == effective["explanation"]


async def test_an_agent_is_explained_with_its_bindings_and_the_schedules_of_the_user(
    asking: Asking, mongo: Mongo, agents: None
) -> None:
    off = Binding("acme", OLGA, "pulse", enabled=False, updated_at=NOW, updated_by="root")
    await BindingStore(mongo.database).put(off)
    member = Member("acme", "apollo", "olga")
    await MemberStore(mongo.database).apply([MembershipChange(member, is_member=True, at=NOW)])
    mine = ScheduleInForce("pulse", member, IntervalSchedule(every_seconds=900), NOW, NOW)
    changes: list[dict[str, str]] = [{"user": "ada"}, {"organisation": "other"}, {"user": "", "project": "gemini"}]
    others = [replace(mine, member=replace(member, **each)) for each in changes]
    await ScheduleStore(mongo.database).put([mine, *others], [])

    answer = await explained(asking, "/api/agents/pulse/explain", project="apollo")

    assert answer["summary"] == "pulse starts no runs: the binding of user olga disables it."
    assert [binding["updated_by"] for binding in answer["bindings"]] == ["root"]
    assert [schedule["id"] for schedule in answer["schedules"]] == [mine.id]
    assert any("next at" in detail for detail in answer["details"])
    anywhere = await explained(asking, "/api/agents/pulse/explain")
    assert [schedule["id"] for schedule in anywhere["schedules"]] == [mine.id]
    of_project = await explained(asking, "/api/agents/pulse/explain", project="gemini")
    assert [schedule["id"] for schedule in of_project["schedules"]] == [others[-1].id]
    elsewhere = await explained(asking, "/api/agents/pulse/explain", project="mercury")
    assert any("olga is no member of project mercury" in detail for detail in elsewhere["details"])


async def test_an_unknown_agent_and_another_user_are_refused(asking: Asking, agents: None) -> None:
    unknown = await asking.ask("GET", "/api/agents/nobody/explain")
    others = await asking.ask("GET", "/api/agents/pulse/explain", params={"user": "ada"})

    assert (unknown.status_code, others.status_code) == (404, 403)
