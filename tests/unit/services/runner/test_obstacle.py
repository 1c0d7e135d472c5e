"""What stands in the way of a claimed run."""

from typing import Any

import pytest

from contracts.agents import Scope
from services.runner.obstacle import obstacle
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.run import Failed, Outcome, Refused, RunStatus, TooEarly
from tests.unit.shared.given import a_new_run, a_spec, a_stored_run, a_version

RUN = a_stored_run(RunStatus.RUNNING, a_new_run())
DECIDED = {"gated": True, "decisions": [{"run_id": None}, {"run_id": RUN["_id"]}]}
VERSION = a_version(a_spec("noter", handler="noop"))


def code_of(outcome: Outcome | None) -> str:
    assert isinstance(outcome, Failed | Refused)
    return outcome.error.code


def found(event: dict[str, Any] | None = DECIDED, *bindings: Binding) -> Outcome | None:
    configuration = Configuration()
    configuration.replace_bindings(bindings)
    return obstacle(RUN, event, VERSION, {"noop"}, configuration)


def test_nothing_stands_in_the_way_of_a_run_that_the_gate_decided() -> None:
    assert found() is None


def test_an_event_that_is_gone_fails_the_run() -> None:
    outcome = found(None)

    assert isinstance(outcome, Failed)
    assert code_of(outcome) == "event_missing"


def test_a_version_that_is_gone_fails_the_run() -> None:
    outcome = obstacle(RUN, DECIDED, None, {"noop"}, Configuration())

    assert isinstance(outcome, Failed)
    assert code_of(outcome) == "agent_version_missing"


def test_a_handler_that_no_runner_has_fails_the_run_and_names_it() -> None:
    outcome = obstacle(RUN, DECIDED, VERSION, {"llm"}, Configuration())

    assert isinstance(outcome, Failed)
    assert outcome.error.code == "handler_unknown"
    assert "'noop'" in outcome.error.detail


def test_a_run_that_is_faster_than_the_gates_record_waits_for_it() -> None:
    outcome = found({"gated": False})

    assert outcome == TooEarly(3.0, "The gate has not recorded its decision yet.")


@pytest.mark.parametrize("decisions", [[], [{"run_id": None}], [{"run_id": "run_other"}]])
def test_a_run_that_the_recorded_decisions_do_not_name_is_cancelled(decisions: list[dict[str, Any]]) -> None:
    outcome = found({"gated": True, "decisions": decisions})

    assert isinstance(outcome, Refused)
    assert outcome.error.code == "not_decided"


def test_an_agent_that_was_switched_off_meanwhile_cancels_its_run_and_the_binding_is_named() -> None:
    outcome = found(DECIDED, Binding("acme", ScopeRef(Scope.PROJECT, "apollo"), "noter", enabled=False))

    assert isinstance(outcome, Refused)
    assert outcome.error.code == "agent_disabled"
    assert outcome.error.detail == "noter is disabled by the binding of project apollo."


@pytest.mark.parametrize(
    "binding",
    [
        Binding("acme", ScopeRef(Scope.PROJECT, "gemini"), "noter", enabled=False),
        Binding("other", ScopeRef(Scope.PROJECT, "apollo"), "noter", enabled=False),
        Binding("acme", ScopeRef(Scope.USER, "ada"), "reader", enabled=False),
        Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=True),
    ],
)
def test_bindings_of_other_places_and_agents_are_no_obstacle(binding: Binding) -> None:
    assert found(DECIDED, binding) is None
