"""When a user counts as idle."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from contracts.behaviour import IdleTrigger
from shared.domain.idleness import (
    CLOCKS_DIFFER,
    SETTLED,
    Fire,
    Forget,
    Idleness,
    IdleVerdict,
    Later,
    Rest,
    active_at,
    is_activity,
    is_forgotten,
    verdict,
)
from tests.unit.shared.given import NOW, an_event

MINUTE = timedelta(minutes=1)


def trigger(**changes: object) -> IdleTrigger:
    given = {"idle_threshold_minutes": 30, "idle_cooldown_minutes": 60, "target": {"type": "user", "id": "{userid}"}}
    return IdleTrigger.model_validate(given | changes)


def ada(active: datetime = NOW, fired: datetime | None = None, firing: datetime | None = None) -> Idleness:
    return Idleness("grader", "acme", "apollo", "ada", active, fired_at=fired, firing=firing)


@pytest.mark.parametrize(
    ("idleness", "minute", "expected"),
    [
        (ada(), 29, Later(NOW + 30 * MINUTE)),
        (ada(), 30, Fire()),
        (ada(fired=NOW + 30 * MINUTE), 500, Rest()),
        (ada(fired=NOW), 500, Rest()),
        (ada(NOW + 40 * MINUTE, NOW + 30 * MINUTE), 89, Later(NOW + 90 * MINUTE)),
        (ada(NOW + 40 * MINUTE, NOW + 30 * MINUTE), 90, Fire()),
        (ada(NOW + 80 * MINUTE, NOW + 30 * MINUTE), 90, Later(NOW + 110 * MINUTE)),
        (ada(NOW + 40 * MINUTE, NOW + 30 * MINUTE, firing=NOW), 41, Fire()),
    ],
)
def test_a_quiet_time_is_told_once_and_not_before_the_cooldown(
    idleness: Idleness, minute: int, expected: IdleVerdict
) -> None:
    assert verdict(idleness, trigger(), NOW + minute * MINUTE, is_served=True) == expected


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        (NOW, Rest()),
        (NOW + 27 * MINUTE, Rest()),
        (NOW + 30 * MINUTE - CLOCKS_DIFFER, Rest()),
        (NOW + 30 * MINUTE - CLOCKS_DIFFER / 2, Fire()),
        (NOW + 30 * MINUTE, Fire()),
    ],
)
def test_activity_after_a_fire_counts_by_a_clock_that_lags_a_little_and_what_is_told_late_does_not(
    active: datetime, expected: IdleVerdict
) -> None:
    told = replace(ada(active, fired=NOW + 30 * MINUTE), fired_for=NOW)

    assert verdict(told, trigger(), NOW + 90 * MINUTE, is_served=True) == expected


def test_whom_nobody_waits_for_is_forgotten() -> None:
    settled = NOW + SETTLED

    assert verdict(ada(), None, settled, is_served=True) == Forget()
    assert verdict(ada(firing=NOW), trigger(), settled, is_served=False) == Forget()


def test_what_a_gate_has_just_noted_for_an_agent_that_is_not_known_here_yet_is_kept_a_moment() -> None:
    assert verdict(ada(), None, NOW, is_served=True) == Later(NOW + SETTLED)


def test_only_who_is_at_rest_beyond_the_cooldown_is_forgotten_with_age() -> None:
    told = ada(fired=NOW)

    assert is_forgotten(told, trigger(), NOW + 61 * MINUTE)
    assert not is_forgotten(told, trigger(), NOW + 60 * MINUTE)
    assert not is_forgotten(ada(), trigger(), NOW + timedelta(days=90))
    assert not is_forgotten(ada(NOW + MINUTE, NOW), trigger(), NOW + timedelta(days=90))


def test_what_counts_as_activity() -> None:
    own = an_event("schedule.fired", userid="ada")

    assert is_activity(trigger(), an_event("checkin.submitted"))
    assert not is_activity(trigger(), own)
    assert not is_activity(trigger(), an_event("doc.updated", userid=None))
    assert is_activity(trigger(activity=["checkin.submitted"]), an_event("checkin.submitted"))
    assert not is_activity(trigger(activity=["doc.updated"]), an_event("checkin.submitted"))


def test_activity_is_when_it_happened_and_never_later_than_its_acceptance() -> None:
    early, late = (an_event(time=(NOW + minutes * MINUTE).isoformat()) for minutes in (-5, 5))

    assert [active_at(event, NOW) for event in (early, late, an_event(time=None))] == [NOW - 5 * MINUTE, NOW, NOW]


def test_agents_users_projects_and_organisations_are_told_apart() -> None:
    orders = permutations(["grader", "acme", "apollo"])
    found = {Idleness(agent, organisation, project, "ada", NOW).id for agent, organisation, project in orders}

    assert len(found | {ada().id}) == 6
    assert Idleness("grader", "acme", None, "ada", NOW).id not in found
