"""/api/heartbeat/agents/{key}: a view onto the organisation's binding, and what came of the last check-in."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.agents import IntervalSchedule
from services.scheduler.fire import fire
from shared.domain.configuration import Configuration
from shared.domain.decide import decide, record
from shared.domain.decision import RunDecided
from shared.domain.event import accepted_event
from shared.store.agents import AgentStore
from shared.store.events import EventStore, GatedEvent
from shared.store.members import Member
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.integration.gateway.asking import Asking
from tests.integration.store.given import claimed, completing, queued
from tests.unit.shared.given import NOW, a_spec, a_version

ADMIN = "organisation_admin"
TARGET = {"type": "day", "id": "{data.date}"}
PULSE = a_spec("pulse", schedule_trigger={"schedule": {"every_seconds": 900}, "target": TARGET})
HOURS = {"start": "08:00", "end": "18:00", "days": ["monday"], "timezone": "Europe/Berlin"}
CONFIG: dict[str, Any] = {"enabled": True, "schedule": {"every_seconds": 60}, "active_hours": HOURS}
PATH = "/api/heartbeat/agents/pulse"


async def given(mongo: Mongo) -> None:
    await AgentStore(mongo.database).seed(PULSE, NOW)
    await AgentStore(mongo.database).seed(a_spec("noter"), NOW)


async def test_what_is_put_is_in_the_organisations_binding_and_nothing_else_of_it_changes(
    asking: Asking, mongo: Mongo
) -> None:
    await given(mongo)
    says = {"agent_key": "pulse", "scope": "organisation", "paused": True, "priority_level": "high"}
    await asking.ask("PUT", "/api/bindings", ADMIN, json=says)

    put = await asking.ask("PUT", f"{PATH}/config", ADMIN, json=CONFIG)
    shown = (await asking.ask("GET", f"{PATH}/config")).json()
    (binding,) = (await asking.ask("GET", "/api/bindings", ADMIN)).json()["bindings"]
    elsewhere = (await asking.ask("GET", f"{PATH}/config", organisation="harbour")).json()

    assert {name: put.json()[name] for name in CONFIG} == {name: shown[name] for name in CONFIG} == CONFIG
    assert {name: binding[name] for name in CONFIG} == CONFIG
    assert (binding["paused"], binding["priority_level"], binding["updated_by"]) == (True, "high", "olga")
    assert "timeout_seconds" in put.json()["warnings"][0]
    assert shown["effective"]["values"]["schedule"]["decided_by"] == {"scope": "organisation", "scope_id": "acme"}
    assert (elsewhere["enabled"], elsewhere["schedule"]) == (None, None)
    assert elsewhere["effective"]["values"]["schedule"]["decided_by"] is None


@pytest.mark.parametrize(
    ("roles", "key", "body", "code"),
    [
        ((), "pulse", CONFIG, "forbidden"),
        (("backend",), "pulse", CONFIG, "forbidden"),
        ((ADMIN,), "nobody", CONFIG, "not_found"),
        ((ADMIN,), "noter", CONFIG, "request_invalid"),
        ((ADMIN,), "pulse", {"schedule": "often"}, "request_invalid"),
    ],
)
async def test_what_may_not_or_cannot_be_is_refused(
    asking: Asking, mongo: Mongo, roles: tuple[str, ...], key: str, body: dict[str, Any], code: str
) -> None:
    await given(mongo)

    answer = await asking.ask("PUT", f"/api/heartbeat/agents/{key}/config", *roles, json=body)

    assert answer.json()["code"] == code


async def test_the_last_fire_has_its_decision_and_its_runs_result_for_whom_it_was(asking: Asking, mongo: Mongo) -> None:
    await given(mongo)
    before = (await asking.ask("GET", f"{PATH}/last", ADMIN)).json()
    schedule = ScheduleInForce("pulse", Member("acme", "apollo", "ada"), IntervalSchedule(every_seconds=900), NOW, NOW)
    configuration = Configuration()
    configuration.replace_agents([a_version(PULSE)])
    event = fire(schedule, NOW, NOW)
    (decision,) = decide(event, configuration, NOW)
    assert isinstance(decision, RunDecided)
    events, runs = EventStore(mongo.database), RunStore(mongo.database)
    await events.accept([accepted_event(event, event.to_json().decode(), NOW)])
    await events.record_decisions([GatedEvent(event.key, [record(event.key, decision)])], NOW)
    run_id = decision.run_id(event.key)
    await queued(runs, run_id, agent_key="pulse", event_key=event.key)
    await runs.write_fenced([completing(await claimed(runs, run_id))])
    earlier = replace(schedule, member=Member("acme", "apollo", "bob"), fired_for=datetime(2026, 11, 1, tzinfo=UTC))
    await ScheduleStore(mongo.database).put([replace(schedule, fired_for=NOW), earlier], [])

    shown = (await asking.ask("GET", f"{PATH}/last", ADMIN)).json()
    others = [
        (await asking.ask("GET", f"{PATH}/last")).json(),
        (await asking.ask("GET", f"{PATH}/last", ADMIN, organisation="harbour")).json(),
    ]

    assert (before["fire"], before["agent_run"]) == (None, None)
    assert (shown["fire"]["user"], shown["fire"]["last_fire"]["decision"]["outcome"]) == ("ada", "run")
    assert shown["fire"]["agent_run"]["output"] == {"summary": "well"}
    assert (shown["agent_run"]["id"], shown["agent_run"]["status"]) == (run_id, "completed")
    assert [(each["fire"], each["agent_run"]) for each in others] == [(None, None)] * 2


async def test_a_check_in_by_hand_is_a_run_like_any_other(asking: Asking, mongo: Mongo) -> None:
    await given(mongo)

    answer = await asking.ask("POST", f"{PATH}/run", json={"request_id": "now"})

    assert (answer.status_code, answer.json()["agent_run"]["agent_key"]) == (202, "pulse")
