"""GET /api/schedules: who sees which schedules, and what is told about each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Misfire, Scope
from services.scheduler.fire import fire
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import decide, record
from shared.domain.event import accepted_event
from shared.domain.firing import FiringRule, fire_id
from shared.store.agents import AgentStore
from shared.store.events import EventStore, GatedEvent
from shared.store.members import Member
from shared.store.mongo import Mongo
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import NOW, a_spec, a_version

ADMIN = "organisation_admin"
OLGA = Member("acme", "apollo", "olga", "Europe/Berlin")
PULSE = ScheduleInForce("pulse", OLGA, IntervalSchedule(every_seconds=900), NOW, NOW)
NIGHTLY = replace(PULSE, agent_key="nightly", schedule=CronSchedule(cron="30 2 * * *", timezone="America/New_York"))
ADAS = replace(PULSE, member=replace(OLGA, user="ada"))
THEIRS = replace(PULSE, member=replace(OLGA, organisation="harbour"))


async def listed(asking: Asking, *roles: str, organisation: str = "acme", **params: str) -> list[dict[str, Any]]:
    answer = await asking.ask("GET", "/api/schedules", *roles, organisation=organisation, params=params)
    assert answer.status_code == 200
    schedules: list[dict[str, Any]] = answer.json()["schedules"]
    return schedules


async def put(mongo: Mongo, *schedules: ScheduleInForce) -> None:
    await ScheduleStore(mongo.database).put(schedules, [])


@pytest.mark.parametrize(
    ("roles", "organisation", "seen"),
    [
        ((), "acme", {PULSE.id, NIGHTLY.id}),
        ((ADMIN,), "acme", {PULSE.id, NIGHTLY.id, ADAS.id}),
        (("backend",), "acme", {PULSE.id, NIGHTLY.id, ADAS.id}),
        (("project_admin",), "acme", {PULSE.id, NIGHTLY.id}),
        ((), "harbour", {THEIRS.id}),
        ((ADMIN,), "harbour", {THEIRS.id}),
        ((ADMIN,), "nobody", set()),
    ],
)
async def test_a_user_sees_its_own_and_an_admin_those_of_the_organisation(
    asking: Asking, mongo: Mongo, roles: tuple[str, ...], organisation: str, seen: set[str]
) -> None:
    await put(mongo, PULSE, NIGHTLY, ADAS, THEIRS)

    assert {each["id"] for each in await listed(asking, *roles, organisation=organisation)} == seen


async def test_those_of_one_agent_are_listed(asking: Asking, mongo: Mongo) -> None:
    await put(mongo, PULSE, NIGHTLY, ADAS)

    assert [each["id"] for each in await listed(asking, agent_key="nightly")] == [NIGHTLY.id]


async def test_a_schedule_says_what_it_is_who_set_it_and_when_it_fired_last(asking: Asking, mongo: Mongo) -> None:
    due_at = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
    by_binding = replace(
        NIGHTLY,
        decided_by=ScopeRef(Scope.PROJECT, "apollo"),
        rule=FiringRule(Misfire.FIRE_ALL, misfire_limit=3),
        fired_for=due_at,
    )
    await put(mongo, by_binding)

    (shown,) = await listed(asking)

    assert (shown["agent_key"], shown["member"]["project"], shown["member"]["user"]) == ("nightly", "apollo", "olga")
    assert (shown["text"], shown["timezone"]) == ("cron 30 2 * * * America/New_York", "America/New_York")
    assert shown["schedule"] == {"cron": "30 2 * * *", "timezone": "America/New_York"}
    assert shown["decided_by"] == {"scope": "project", "scope_id": "apollo"}
    assert (shown["misfire"], shown["misfire_limit"], shown["jitter_seconds"]) == ("fire_all", 3, 0)
    assert shown["last_fire"] == {
        "due_at": "2026-11-20T07:30:00Z",
        "local": "2026-11-20T02:30:00-05:00",
        "fire_id": fire_id(NIGHTLY.id, due_at),
        "decision": None,
    }


async def test_a_schedule_says_whom_its_agent_serves_and_what_keeps_it_from_starting(
    asking: Asking, mongo: Mongo
) -> None:
    unless = {"event": "checkin.submitted", "within_seconds": 60}
    trigger = {"target": {"type": "day", "id": "{data.date}"}, "user_filter": "member.user != 'bob'", "unless": unless}
    await AgentStore(mongo.database).publish(a_spec("pulse", schedule_trigger=trigger), "tests", NOW)
    await put(mongo, PULSE, NIGHTLY)

    shown = {each["agent_key"]: (each["user_filter"], each["unless"]) for each in await listed(asking)}

    assert shown == {"pulse": ("member.user != 'bob'", unless), "nightly": ("all", None)}


async def test_the_last_fire_says_what_was_decided(asking: Asking, mongo: Mongo) -> None:
    trigger = {"target": {"type": "day", "id": "{data.date}"}}
    configuration = Configuration()
    configuration.replace_agents([a_version(a_spec("pulse", schedule_trigger=trigger))])
    configuration.put_binding(Binding("acme", ScopeRef(Scope.USER, "olga"), "pulse", enabled=False))
    event = fire(PULSE, NOW, NOW)
    (decision,) = decide(event, configuration, NOW)
    events = EventStore(mongo.database)
    await events.accept([accepted_event(event, event.to_json().decode(), NOW)])
    await events.record_decisions([GatedEvent(event.key, [record(event.key, decision)])], NOW)
    await put(mongo, replace(PULSE, fired_for=NOW), ADAS)

    shown = {each["member"]["user"]: each["last_fire"] for each in await listed(asking, ADMIN)}

    assert (shown["olga"]["decision"]["outcome"], shown["olga"]["decision"]["reason"]) == ("skipped", "disabled")
    assert shown["ada"] is None


async def test_one_that_has_not_fired_says_nothing_about_it_and_nobody_set_it(asking: Asking, mongo: Mongo) -> None:
    await put(mongo, PULSE)

    (shown,) = await listed(asking)

    assert (shown["last_fire"], shown["decided_by"], shown["timezone"]) == (None, None, "Europe/Berlin")


@pytest.mark.parametrize("since", [NOW, datetime(2020, 1, 1, tzinfo=UTC)])
async def test_the_next_five_fires_are_to_come_in_utc_and_on_the_clock_of_the_zone(
    asking: Asking, mongo: Mongo, since: datetime
) -> None:
    daily = DailySchedule(daily_hour=7, timezone="Europe/Berlin")
    rule = FiringRule(jitter_seconds=3_600)
    schedule = replace(PULSE, schedule=daily, rule=rule, since=since)
    await put(mongo, schedule)

    (shown,) = await listed(asking)
    fires = shown["next_fires"]
    moments = [datetime.fromisoformat(each["due_at"]) for each in fires]

    assert len(fires) == 5
    assert moments[0] + schedule.offset > datetime.now(UTC) - timedelta(minutes=1)
    assert [datetime.fromisoformat(each["local"]) for each in fires] == moments
    assert {each["local"][11:16] for each in fires} == {"07:00"}
    assert [datetime.fromisoformat(each["fires_at"]) - due for each, due in zip(fires, moments, strict=True)] == [
        schedule.offset
    ] * 5


async def test_a_long_list_is_read_page_by_page(asking: Asking, mongo: Mongo) -> None:
    schedules = [replace(PULSE, member=replace(OLGA, user=f"user-{number}")) for number in range(5)]
    await put(mongo, *schedules)

    seen, params = [], {"limit": "2"}
    while True:
        answer = (await asking.ask("GET", "/api/schedules", ADMIN, params=params)).json()
        seen += [each["id"] for each in answer["schedules"]]
        if answer["next_cursor"] is None:
            break
        params["cursor"] = answer["next_cursor"]

    assert seen == [each.id for each in schedules]


@pytest.mark.parametrize("params", [{"cursor": "???"}, {"cursor": "WzEsMl0"}, {"limit": "0"}, {"agent_key": "No Key"}])
async def test_what_makes_no_sense_is_refused(asking: Asking, params: dict[str, str]) -> None:
    answer = await asking.ask("GET", "/api/schedules", params=params)

    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


@pytest.mark.parametrize(
    ("schedule", "warnings"),
    [({"cron": "*/5 * * * *"}, 1), ({"cron": "0 * * * *"}, 0), ({"every_seconds": 599}, 1), (None, 0)],
)
async def test_a_binding_is_warned_about_a_schedule_that_is_shorter_than_the_timeout(
    asking: Asking, mongo: Mongo, schedule: dict[str, Any] | None, warnings: int
) -> None:
    trigger = {"target": {"type": "day", "id": "{data.date}"}}
    await AgentStore(mongo.database).publish(a_spec("pulse", schedule_trigger=trigger), "root", NOW)
    change = {"agent_key": "pulse", "scope": "user", "scope_id": "olga", "schedule": schedule}

    answer = await asking.ask("PUT", "/api/bindings", json=change)
    kept = (await asking.ask("GET", "/api/bindings")).json()["bindings"][0]["schedule"]

    assert (answer.status_code, len(answer.json()["warnings"])) == (200, warnings)
    assert (kept is None) == (schedule is None)
    assert all("timeout_seconds" in warning for warning in answer.json()["warnings"])


async def test_a_wrong_cron_expression_is_refused_with_its_field(asking: Asking) -> None:
    change = {"agent_key": "pulse", "scope": "user", "scope_id": "olga", "schedule": {"cron": "61 * * * *"}}

    answer = await asking.ask("PUT", "/api/bindings", json=change)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"]) == (422, "body.schedule.cron.cron")
    assert "'61' cannot be the minute" in error["message"]
