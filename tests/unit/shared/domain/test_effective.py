"""The gate over four scopes, through the configuration and the decision, against references written out here."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.active_hours import ActiveHours
from contracts.agents import AgentSpec, BindingLimits, IntervalSchedule, ModelTier, Schedule, Scope
from contracts.lanes import Lane
from shared.domain.binding import ORDER, Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import decide
from shared.domain.decision import Reason, RunDecided, Skipped
from shared.domain.effective import Decided, Effective, obeying, resolve
from tests.unit.shared.given import NOW, a_spec, a_version, an_event, triggered

PLACES = {
    Scope.SERVER: ("", ScopeRef(Scope.SERVER)),
    Scope.ORGANISATION: ("acme", ScopeRef(Scope.ORGANISATION, "acme")),
    Scope.PROJECT: ("acme", ScopeRef(Scope.PROJECT, "apollo")),
    Scope.USER: ("acme", ScopeRef(Scope.USER, "ada")),
}
EVENT = an_event(organisationid="acme", projectid="apollo", userid="ada")
WISHES = (True, False, None)
EVERY = {scope: IntervalSchedule(every_seconds=60 + index) for index, scope in enumerate(ORDER)}
DEFAULT = IntervalSchedule(every_seconds=5)
ELSEWHERE = (
    ("other", ScopeRef(Scope.ORGANISATION, "other")),
    ("other", ScopeRef(Scope.PROJECT, "apollo")),
    ("other", ScopeRef(Scope.USER, "ada")),
    ("acme", ScopeRef(Scope.PROJECT, "gemini")),
    ("acme", ScopeRef(Scope.USER, "bob")),
)


def a_binding(scope: Scope, **says: Any) -> Binding:
    organisation, at = PLACES[scope]
    return Binding(organisation, at, "noter", **says)


def configured(spec: AgentSpec, *bindings: Binding) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([a_version(spec)])
    configuration.replace_bindings(bindings)
    return configuration


def effective(spec: AgentSpec, *bindings: Binding) -> Effective:
    return configured(spec, *bindings).effective(spec, "acme", "apollo", "ada")


def scheduled(default: Schedule | None) -> AgentSpec:
    return a_spec(schedule_trigger={"schedule": default, "target": {"type": "day", "id": "today"}})


@pytest.mark.parametrize("wishes", list(product(WISHES, repeat=4)))
def test_any_disabled_scope_disables_in_all_81_combinations(wishes: tuple[bool | None, ...]) -> None:
    spec = triggered("noter")
    configuration = configured(
        spec, *(a_binding(scope, enabled=wish) for scope, wish in zip(ORDER, wishes, strict=True))
    )

    holds = configuration.effective(spec, "acme", "apollo", "ada")
    (decision,) = decide(EVENT, configuration, NOW)

    off = [scope for scope, wish in zip(ORDER, wishes, strict=True) if wish is False]
    on = [scope for scope, wish in zip(ORDER, wishes, strict=True) if wish is True]
    decided_by = PLACES[off[0]][1] if off else PLACES[on[-1]][1] if on else None
    assert (holds.is_enabled, holds.decided_by) == (not off, decided_by)
    if off:
        assert decision == Skipped("noter", 1, Reason.DISABLED, decided_by)
    else:
        assert isinstance(decision, RunDecided)
        assert decision.decided_by == decided_by


@pytest.mark.parametrize("default", [DEFAULT, None])
@pytest.mark.parametrize("has_one", list(product((True, False), repeat=4)))
def test_the_schedule_is_the_most_specific_one_then_the_versions(
    has_one: tuple[bool, ...], default: Schedule | None
) -> None:
    having = [scope for scope, has in zip(ORDER, has_one, strict=True) if has]

    holds = effective(scheduled(default), *(a_binding(scope, schedule=EVERY[scope]) for scope in having))

    if having:
        assert (holds.schedule, holds.schedule_decided_by) == (EVERY[having[-1]], PLACES[having[-1]][1])
    else:
        assert (holds.schedule, holds.schedule_decided_by) == (default, None)


def bindings() -> st.SearchStrategy[list[Binding]]:
    made = st.builds(
        lambda place, enabled, lane, model: Binding(
            organisation=place[0], at=place[1], agent_key="noter", enabled=enabled, priority_level=lane, model=model
        ),
        st.sampled_from([*PLACES.values(), *ELSEWHERE]),
        st.sampled_from(WISHES),
        st.sampled_from([None, *Lane]),
        st.sampled_from([None, *ModelTier]),
    )
    return st.lists(made, max_size=9, unique_by=lambda binding: binding.id)


@given(bindings())
def test_any_set_of_bindings_comes_to_what_the_rule_says(said: list[Binding]) -> None:
    spec = triggered("noter", priority_level="low")
    configuration = configured(spec, *said)

    (decision,) = decide(EVENT, configuration, NOW)

    by_place = {(binding.organisation, binding.at): binding for binding in said}
    here = [by_place[PLACES[scope]] for scope in ORDER if PLACES[scope] in by_place]
    lanes = [binding.priority_level for binding in here if binding.priority_level]
    models = [binding.model for binding in here if binding.model]
    assert isinstance(decision, Skipped) == any(binding.enabled is False for binding in here)
    if isinstance(decision, RunDecided):
        assert decision.lane == [Lane.LOW, *lanes][-1]
    holds = configuration.effective(spec, "acme", "apollo", "ada")
    assert holds.model.value == [ModelTier.FAST, *models][-1]


@pytest.mark.parametrize(
    ("version", "says", "holds"),
    [
        (50, (None, None, None, None), Decided(50)),
        (50, (None, 60, None, None), Decided(50)),
        (50, (None, 50, None, None), Decided(50)),
        (50, (40, None, 40, 45), Decided(40, PLACES[Scope.SERVER][1])),
        (50, (40, None, None, 3), Decided(3, PLACES[Scope.USER][1])),
        (None, (None, None, 9, None), Decided(9, PLACES[Scope.PROJECT][1])),
        (None, (None, None, None, None), Decided(None)),
    ],
)
def test_the_strictest_limit_holds_whoever_sets_it(
    version: int | None, says: tuple[int | None, ...], holds: Decided[int | None]
) -> None:
    spec = a_spec(limits={"request_limit": version})

    found = effective(
        spec,
        *(
            a_binding(scope, limits=BindingLimits(request_limit=limit))
            for scope, limit in zip(ORDER, says, strict=True)
        ),
    )

    assert found.limits.request_limit == holds
    assert found.limits.total_tokens_limit == Decided(None)
    assert found.limits.timeout_seconds == Decided(600)


def test_a_run_is_executed_with_the_tier_and_the_limits_that_hold() -> None:
    spec = a_spec(limits={"request_limit": 9, "max_rounds": 7})
    limits = BindingLimits(request_limit=20, total_tokens_limit=1_000, timeout_seconds=30)

    obeyed = obeying(spec, effective(spec, a_binding(Scope.USER, model=ModelTier.REASONING, limits=limits)))

    assert (obeyed.model.tier, obeyed.timeout_seconds) == (ModelTier.REASONING, 30)
    assert obeyed.limits == spec.limits.model_copy(update={"total_tokens_limit": 1_000})


def test_what_holds_for_another_version_of_the_agent_is_resolved_anew() -> None:
    older, newer = triggered("noter", priority_level="low"), triggered("noter", priority_level="high")
    configuration = configured(newer)

    lanes = [configuration.effective(spec, "acme", None, None).priority_level.value for spec in (newer, older, newer)]

    assert lanes == [Lane.HIGH, Lane.LOW, Lane.HIGH]


def test_hours_of_the_most_specific_binding_replace_those_of_the_version() -> None:
    nights, days = ActiveHours(start="22:00", end="06:00"), ActiveHours(start="08:00", end="18:00")
    spec = triggered("noter", active_hours=nights)

    (closed,) = decide(EVENT, configured(spec), NOW)
    (open_,) = decide(EVENT, configured(spec, a_binding(Scope.PROJECT, active_hours=days)), NOW)

    assert isinstance(closed, Skipped)
    assert (closed.reason, closed.decided_by) == (Reason.OUTSIDE_ACTIVE_HOURS, None)
    assert closed.detail == "22:00 to 06:00 UTC as its version says; they begin next at 2026-11-20 22:00 UTC"
    assert isinstance(open_, RunDecided)


def test_a_binding_that_closes_the_hours_is_named() -> None:
    nights = ActiveHours(start="22:00", end="06:00")

    (decision,) = decide(EVENT, configured(triggered("noter"), a_binding(Scope.USER, active_hours=nights)), NOW)

    assert decision.decided_by == PLACES[Scope.USER][1]


def test_what_is_said_without_a_binding_is_the_versions() -> None:
    spec = triggered("noter", model={"tier": "reasoning"}, priority_level="critical")

    holds = resolve(spec, [replace(a_binding(Scope.USER), updated_by="ada")])

    assert holds.model == Decided(ModelTier.REASONING)
    assert holds.priority_level == Decided(Lane.CRITICAL)
    assert holds.active_hours == Decided(None)
