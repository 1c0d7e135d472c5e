"""What would be different: found on a copy, one entry for each decision that would come to something else."""

from typing import Any

from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decision import RunDecided, Skipped
from shared.domain.preview import differences, foresee
from tests.unit.shared.given import NOW, a_version, an_event, triggered

ADAS = an_event(id="one", organisationid="acme", projectid="apollo", userid="ada")
BOBS = an_event(id="two", organisationid="acme", projectid="apollo", userid="bob")
EVENTS = [(ADAS, NOW), (BOBS, NOW)]


def configured(*bindings: Binding) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([a_version(triggered("noter")), a_version(triggered("reader"))])
    configuration.replace_bindings(bindings)
    return configuration


def says(scope: Scope, id: str, **says: Any) -> Binding:
    return Binding("acme", ScopeRef(scope, id), "noter", **says)


def test_only_what_the_binding_changes_is_told() -> None:
    (found,) = differences(EVENTS, configured(), says(Scope.USER, "ada", enabled=False))

    assert found.event is ADAS
    assert isinstance(found.before.decision, RunDecided)
    assert isinstance(found.after.decision, Skipped)


def test_an_agent_that_is_switched_on_again_would_start() -> None:
    off = says(Scope.PROJECT, "apollo", enabled=False)

    found = differences(EVENTS, configured(off), says(Scope.PROJECT, "apollo"))

    assert [(type(each.before.decision), type(each.after.decision)) for each in found] == [(Skipped, RunDecided)] * 2


def test_the_same_wish_of_another_scope_is_no_difference() -> None:
    assert differences(EVENTS, configured(), says(Scope.USER, "ada", enabled=True)) == []


def test_the_binding_is_tried_on_a_copy() -> None:
    configuration = configured()

    differences(EVENTS, configuration, says(Scope.USER, "ada", enabled=False))

    assert all(isinstance(each.decision, RunDecided) for each in foresee(ADAS, configuration, NOW))


def test_pausing_has_runs_wait_and_another_lane_is_a_difference() -> None:
    (paused,) = differences(EVENTS, configured(), says(Scope.USER, "ada", paused=True))
    (moved,) = differences(EVENTS, configured(), says(Scope.USER, "bob", priority_level="high"))

    assert (paused.before.paused_by, paused.after.paused_by) == (None, ScopeRef(Scope.USER, "ada"))
    assert isinstance(moved.after.decision, RunDecided)
    assert moved.after.decision.lane == "high"
