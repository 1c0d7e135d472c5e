"""A due moment as an event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.agents import DailySchedule, IntervalSchedule
from contracts.registry import parse_json
from services.scheduler.fire import fire
from shared.domain.firing import fire_id, fire_key
from shared.store.members import Member, whole_organisation
from shared.store.schedules import ScheduleInForce
from tests.unit.shared.given import NOW

ADA = Member("acme", "apollo", "ada", "Europe/Berlin")
PULSE = ScheduleInForce("pulse", ADA, IntervalSchedule(every_seconds=900), NOW, NOW)


def test_it_parses_as_the_event_of_its_member_and_agent() -> None:
    event = fire(PULSE, NOW, NOW + timedelta(seconds=3))

    assert parse_json(event.to_json()) == event
    assert (event.organisationid, event.projectid, event.userid, event.time) == ("acme", "apollo", "ada", NOW)
    assert (event.data.agent_key, event.data.schedule, event.data.due_at) == ("pulse", "every 900 s", NOW)
    assert event.data.fired_at == NOW + timedelta(seconds=3)
    assert (event.id, event.key) == (fire_id(PULSE.id, NOW), fire_key("acme", PULSE.id, NOW))


def test_the_same_moment_is_the_same_event_whoever_fires_it_and_when() -> None:
    assert fire(PULSE, NOW, NOW).key == fire(PULSE, NOW, NOW + timedelta(hours=1)).key
    assert fire(PULSE, NOW, NOW).key == fire(replace(PULSE, since=NOW - timedelta(days=1)), NOW, NOW).key


def test_another_moment_member_or_agent_is_another_event() -> None:
    others = [
        fire(PULSE, NOW + timedelta(seconds=900), NOW),
        fire(replace(PULSE, member=replace(ADA, user="bob")), NOW, NOW),
        fire(replace(PULSE, member=replace(ADA, project="gemini")), NOW, NOW),
        fire(replace(PULSE, agent_key="review"), NOW, NOW),
    ]

    assert len({fire(PULSE, NOW, NOW).key, *(other.key for other in others)}) == 5


@pytest.mark.parametrize(("timezone", "day"), [("Europe/Berlin", 21), ("America/New_York", 20), ("UTC", 20)])
def test_the_day_is_that_of_the_members_wall_clock(timezone: str, day: int) -> None:
    nightly = ScheduleInForce("review", replace(ADA, timezone=timezone), DailySchedule(daily_hour=23), NOW, NOW)

    event = fire(nightly, datetime(2026, 11, 20, 23, 0, tzinfo=UTC), NOW)

    assert (event.data.date.day, event.data.timezone) == (day, timezone)


def test_one_for_the_organisation_names_neither_project_nor_user() -> None:
    event = fire(replace(PULSE, member=whole_organisation("acme")), NOW, NOW)

    assert parse_json(event.to_json()) == event
    assert (event.organisationid, event.projectid, event.userid) == ("acme", None, None)
