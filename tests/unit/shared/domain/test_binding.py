"""The gate's rule, against a plain reference over everything four scopes can say."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import CallMode, DailySchedule, IntervalSchedule, Schedule, Scope
from shared.domain.binding import ORDER, Binding, ScopeRef, binding_id, scope_chain
from shared.domain.effective import Effective
from shared.domain.effective import resolve as resolve_for
from tests.unit.shared.given import a_spec

PLACES = {Scope.SERVER: "", Scope.ORGANISATION: "acme", Scope.PROJECT: "apollo", Scope.USER: "ada"}
SCHEDULES: tuple[Schedule | None, ...] = (None, IntervalSchedule(every_seconds=60), DailySchedule(daily_hour=7))


def resolve(default: Schedule | None, bindings: list[Binding]) -> Effective:
    schedule_trigger = {"schedule": default, "target": {"type": "day", "id": "today"}}
    return resolve_for(a_spec(schedule_trigger=schedule_trigger), bindings)


def binding(scope: Scope, enabled: bool | None, schedule: Schedule | None = None) -> Binding:
    organisation = "" if scope is Scope.SERVER else "acme"
    return Binding(organisation, ScopeRef(scope, PLACES[scope]), "noter", enabled, schedule=schedule)


def at(scope: Scope) -> ScopeRef:
    return ScopeRef(scope, PLACES[scope])


def reference(says: dict[Scope, bool | None]) -> tuple[bool, ScopeRef | None]:
    """Any disabled scope disables, and the widest one is named; else the most specific enabled one is."""
    disabled = [scope for scope in ORDER if says[scope] is False]
    enabled = [scope for scope in ORDER if says[scope] is True]
    if disabled:
        return False, at(disabled[0])
    return True, at(enabled[-1]) if enabled else None


@pytest.mark.parametrize("says", list(product((True, False, None), repeat=4)))
def test_any_disabled_scope_disables_in_all_81_combinations(says: tuple[bool | None, ...]) -> None:
    effective = resolve(None, [binding(scope, enabled) for scope, enabled in zip(ORDER, says, strict=True)])

    expected = reference(dict(zip(ORDER, says, strict=True)))
    assert (effective.is_enabled, effective.decided_by) == expected


@pytest.mark.parametrize("says", list(product((True, False, None), repeat=4)))
def test_a_scope_without_a_binding_is_one_that_says_nothing(says: tuple[bool | None, ...]) -> None:
    every = [binding(scope, enabled) for scope, enabled in zip(ORDER, says, strict=True)]

    assert resolve(None, [each for each in every if each.enabled is not None]) == resolve(None, every)


@pytest.mark.parametrize("default", SCHEDULES)
@pytest.mark.parametrize("schedules", list(product(SCHEDULES, repeat=4)))
def test_the_schedule_is_the_most_specific_one_then_the_default(
    default: Schedule | None, schedules: tuple[Schedule | None, ...]
) -> None:
    bindings = [binding(scope, None, schedule) for scope, schedule in zip(ORDER, schedules, strict=True)]

    effective = resolve(default, bindings)

    said = [each for each in bindings if each.schedule is not None]
    assert effective.schedule == (said[-1].schedule if said else default)
    assert effective.schedule_decided_by == (said[-1].at if said else None)


@given(says=st.lists(st.sampled_from((True, False, None)), min_size=4, max_size=4), default=st.sampled_from(SCHEDULES))
def test_a_schedule_never_decides_whether_an_agent_is_enabled(
    says: list[bool | None], default: Schedule | None
) -> None:
    daily = DailySchedule(daily_hour=9)
    plain = [binding(scope, enabled) for scope, enabled in zip(ORDER, says, strict=True)]
    scheduled = [binding(scope, enabled, daily) for scope, enabled in zip(ORDER, says, strict=True)]

    without, with_schedules = resolve(default, plain), resolve(default, scheduled)

    assert (without.is_enabled, without.decided_by) == (with_schedules.is_enabled, with_schedules.decided_by)


@pytest.mark.parametrize("says", list(product((True, False, None), repeat=4)))
def test_any_pausing_scope_pauses_and_the_widest_is_named(says: tuple[bool | None, ...]) -> None:
    bindings = [replace(binding(scope, None), paused=paused) for scope, paused in zip(ORDER, says, strict=True)]

    effective = resolve(None, bindings)

    pausing = [at(scope) for scope, paused in zip(ORDER, says, strict=True) if paused]
    assert effective.paused_by == (pausing[0] if pausing else None)
    assert effective.is_enabled


@pytest.mark.parametrize("says", list(product((*CallMode, None), repeat=4)))
def test_the_call_mode_is_the_most_specific_one(says: tuple[CallMode | None, ...]) -> None:
    bindings = [replace(binding(scope, None), call_mode=mode) for scope, mode in zip(ORDER, says, strict=True)]

    said = [mode for mode in says if mode is not None]
    assert resolve(None, bindings).call_mode == (said[-1] if said else None)


def test_without_bindings_the_default_holds_and_nobody_decided() -> None:
    effective = resolve(IntervalSchedule(every_seconds=5), [])

    assert (effective.is_enabled, effective.decided_by) == (True, None)
    assert (effective.schedule, effective.schedule_decided_by) == (IntervalSchedule(every_seconds=5), None)


def test_the_chain_goes_from_the_server_to_the_user() -> None:
    assert scope_chain("acme", "apollo", "ada") == (
        ("", at(Scope.SERVER)),
        ("acme", at(Scope.ORGANISATION)),
        ("acme", at(Scope.PROJECT)),
        ("acme", at(Scope.USER)),
    )


@pytest.mark.parametrize(
    ("project", "user", "scopes"),
    [(None, None, ORDER[:2]), ("apollo", None, ORDER[:3]), (None, "ada", (*ORDER[:2], Scope.USER))],
)
def test_a_place_that_is_not_named_has_no_say(project: str | None, user: str | None, scopes: tuple[Scope, ...]) -> None:
    assert tuple(ref.scope for _, ref in scope_chain("acme", project, user)) == scopes


def test_bindings_of_different_places_have_different_ids() -> None:
    places = [
        ("", ScopeRef(Scope.SERVER), "noter"),
        ("acme", ScopeRef(Scope.ORGANISATION, "acme"), "noter"),
        ("acme", ScopeRef(Scope.PROJECT, "acme"), "noter"),
        ("acme", ScopeRef(Scope.USER, "acme"), "noter"),
        ("other", ScopeRef(Scope.USER, "acme"), "noter"),
        ("acme", ScopeRef(Scope.USER, "acme"), "reader"),
    ]

    assert len({binding_id(*place) for place in places}) == len(places)
