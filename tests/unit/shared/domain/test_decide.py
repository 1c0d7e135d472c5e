"""The gate decided purely: which Agents an event concerns, and whether each may run."""

from itertools import product

import pytest

from contracts.agents import IntervalSchedule, Scope
from contracts.envelope import Event
from contracts.ids import run_id
from contracts.lanes import Lane
from contracts.schedules import ScheduleFired
from services.gateway.views import DecisionView, decision_view
from shared.domain.binding import ORDER, Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import decide as decide_at
from shared.domain.decide import record
from shared.domain.decision import Decision, Reason, RunDecided, Skipped, Target
from tests.unit.shared.given import NOW, a_spec, a_version, an_event, triggered

PLACES = dict(zip(ORDER, ("", "acme", "apollo", "ada"), strict=True))
EVENT = an_event(organisationid="acme", projectid="apollo", userid="ada")


def decide(event: Event, configuration: Configuration) -> list[Decision]:
    return [*decide_at(event, configuration, NOW)]


def configured(*specs: object, bindings: tuple[Binding, ...] = ()) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([a_version(spec, number=3) for spec in specs])  # type: ignore[arg-type]  # specs only
    configuration.replace_bindings(bindings)
    return configuration


def says(scope: Scope, *, enabled: bool | None, agent_key: str = "noter") -> Binding:
    organisation = "" if scope is Scope.SERVER else "acme"
    return Binding(organisation, ScopeRef(scope, PLACES[scope]), agent_key, enabled)


def fired(agent_key: str) -> Event:
    return an_event(
        "schedule.fired",
        organisationid="acme",
        projectid="apollo",
        userid="ada",
        data={"agent_key": agent_key, "due_at": NOW.isoformat(), "date": "2026-11-20"},
    )


def test_an_agent_with_a_trigger_for_the_event_starts_on_its_target() -> None:
    spec = triggered("noter", target="{projectid}", priority_level="high")

    assert decide(EVENT, configured(spec)) == [RunDecided("noter", 3, Target("thing", "apollo"), Lane.HIGH, None)]


def test_agents_without_a_trigger_for_it_are_not_concerned() -> None:
    assert decide(EVENT, configured(triggered("noter", "doc.created"), a_spec("idle"))) == []


@pytest.mark.parametrize("enabled", list(product((True, False, None), repeat=4)))
def test_an_agent_runs_unless_one_of_the_four_scopes_disables_it(enabled: tuple[bool | None, ...]) -> None:
    bindings = tuple(says(scope, enabled=each) for scope, each in zip(ORDER, enabled, strict=True))

    (decision,) = decide(EVENT, configured(triggered("noter"), bindings=bindings))

    if False in enabled:
        widest = ORDER[enabled.index(False)]
        assert decision == Skipped("noter", 3, Reason.DISABLED, ScopeRef(widest, PLACES[widest]))
    else:
        assert isinstance(decision, RunDecided)


def test_one_disabled_agent_does_not_keep_another_from_running() -> None:
    bindings = (says(Scope.USER, enabled=False),)

    decisions = decide(EVENT, configured(triggered("noter"), triggered("reader"), bindings=bindings))

    assert [(each.agent_key, type(each)) for each in decisions] == [("noter", Skipped), ("reader", RunDecided)]


def test_an_event_without_the_targets_field_is_skipped_with_the_field() -> None:
    (decision,) = decide(EVENT, configured(triggered("noter", target="{data.room}")))

    assert decision == Skipped("noter", 3, Reason.TARGET_MISSING, None, "the event has no data.room")


def test_a_disabled_agent_is_skipped_as_disabled_even_without_a_target() -> None:
    configuration = configured(triggered("noter", target="{data.room}"), bindings=(says(Scope.PROJECT, enabled=False),))

    (decision,) = decide(EVENT, configuration)

    assert isinstance(decision, Skipped)
    assert decision.reason is Reason.DISABLED


def test_two_triggers_for_one_event_are_two_decisions() -> None:
    triggers = [
        {"event": EVENT.type, "target": {"type": "project", "id": "{projectid}"}},
        {"event": EVENT.type, "target": {"type": "user", "id": "{userid}"}},
    ]

    decisions = decide(EVENT, configured(a_spec(triggers=triggers)))

    assert [each.target.type for each in decisions if isinstance(each, RunDecided)] == ["project", "user"]


def test_a_fired_schedule_concerns_the_agent_that_it_names_and_no_other() -> None:
    schedule = {"schedule": IntervalSchedule(every_seconds=60), "target": {"type": "day", "id": "{data.date}"}}
    pulse = a_spec("pulse", schedule_trigger=schedule)
    eager = triggered("eager", "schedule.fired")

    (decision,) = decide(fired("pulse"), configured(pulse, eager))

    assert decision == RunDecided("pulse", 3, Target("day", "2026-11-20"), Lane.MEDIUM, None)


@pytest.mark.parametrize("agent_key", ["gone", "noter"])
def test_a_fire_for_an_agent_that_has_no_schedule_any_more_starts_nothing(agent_key: str) -> None:
    event = fired(agent_key)

    assert isinstance(event, ScheduleFired)
    assert decide(event, configured(triggered("noter"))) == []


def test_a_run_is_recorded_with_the_id_that_event_agent_and_target_give() -> None:
    (decision,) = decide(
        EVENT, configured(triggered("noter", target="{projectid}"), bindings=(says(Scope.USER, enabled=True),))
    )

    recorded = record("ev_1", decision)

    assert recorded == {
        "agent_key": "noter",
        "agent_version": 3,
        "decided_by": {"scope": "user", "scope_id": "ada"},
        "explanation": "noter starts on thing apollo.",
        "outcome": "run",
        "reason": "enabled",
        "run_id": run_id("ev_1", "noter", "thing", "apollo"),
        "target": {"type": "thing", "id": "apollo"},
        "lane": "medium",
        "agent_version_id": "noter:3",
    }


def test_a_skip_is_recorded_with_its_reason_and_without_a_run() -> None:
    (decision,) = decide(EVENT, configured(triggered("noter"), bindings=(says(Scope.SERVER, enabled=False),)))

    recorded = record("ev_1", decision)

    assert recorded == {
        "agent_key": "noter",
        "agent_version": 3,
        "decided_by": {"scope": "server", "scope_id": ""},
        "explanation": "noter is disabled by the binding of the server.",
        "outcome": "skipped",
        "reason": "disabled",
        "run_id": None,
    }


@pytest.mark.parametrize("target", ["{projectid}", "{data.room}"])
def test_what_is_recorded_can_be_shown(target: str) -> None:
    (decision,) = decide(EVENT, configured(triggered("noter", target=target)))

    DecisionView.model_validate(decision_view(record("ev_1", decision)), strict=True)


def asked_for(**data: object) -> Event:
    defaults = {"agent_key": "noter", "requested_by": "ada", "target": None, "input": None}
    return an_event(
        "agent.execute_requested", id="req-1", organisationid="acme", userid="ada", data={**defaults, **data}
    )


def test_an_agent_that_is_started_by_hand_works_on_the_target_that_was_asked_for() -> None:
    target = {"type": "doc", "id": "{id}"}

    (decision,) = decide(asked_for(target=target), configured(a_spec("noter"), triggered("reader")))

    assert decision == RunDecided("noter", 3, Target("doc", "{id}"), Lane.MEDIUM, None)


def test_without_a_target_each_request_is_its_own() -> None:
    (decision,) = decide(asked_for(), configured(a_spec("noter")))

    assert isinstance(decision, RunDecided)
    assert decision.target == Target("manual_run", "req-1")


def test_by_hand_too_an_agent_is_disabled_by_its_bindings() -> None:
    (decision,) = decide(asked_for(), configured(a_spec("noter"), bindings=(says(Scope.USER, enabled=False),)))

    assert decision == Skipped("noter", 3, Reason.DISABLED, ScopeRef(Scope.USER, "ada"))


@pytest.mark.parametrize("spec", [a_spec("noter", manual=False), a_spec("reader")])
def test_what_nobody_starts_by_hand_or_does_not_exist_is_not_concerned(spec: object) -> None:
    assert decide(asked_for(), configured(spec)) == []
