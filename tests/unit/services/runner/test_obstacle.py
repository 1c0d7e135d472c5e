"""What stands in the way of a claimed run."""

from typing import Any

import pytest

from contracts.agent_kinds import AgentStatus
from contracts.agents import Scope
from services.runner.obstacle import obstacle
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.run import Failed, Outcome, Postponed, Refused, RunStatus, Waiting
from shared.domain.slot import paused_key
from tests.unit.shared.given import LATER, NOW, Document, a_new_run, a_spec, a_stored_run, a_version

RUN = a_stored_run(RunStatus.RUNNING, a_new_run())
DECIDED = {"gated": True, "decisions": [{"run_id": None}, {"run_id": RUN["_id"]}]}
VERSION = a_version(a_spec("noter", handler="noop"))


def code_of(outcome: Outcome | None) -> str:
    assert isinstance(outcome, Failed | Refused)
    return outcome.error.code


def found(event: Document | None = DECIDED, *bindings: Binding, run: Document = RUN) -> Outcome | None:
    configuration = Configuration()
    configuration.replace_bindings(bindings)
    return obstacle(run, event, VERSION, {"noop"}, configuration, LATER)


def test_nothing_stands_in_the_way_of_a_run_that_the_gate_decided() -> None:
    assert found() is None


def test_an_event_that_is_gone_fails_the_run() -> None:
    outcome = found(None)

    assert isinstance(outcome, Failed)
    assert code_of(outcome) == "event_missing"


def test_a_version_that_is_gone_fails_the_run() -> None:
    outcome = obstacle(RUN, DECIDED, None, {"noop"}, Configuration(), LATER)

    assert isinstance(outcome, Failed)
    assert code_of(outcome) == "agent_version_missing"


def test_a_handler_that_no_runner_has_fails_the_run_and_names_it() -> None:
    outcome = obstacle(RUN, DECIDED, VERSION, {"llm"}, Configuration(), LATER)

    assert isinstance(outcome, Failed)
    assert outcome.error.code == "handler_unknown"
    assert "'noop'" in outcome.error.detail


def test_a_run_that_is_faster_than_the_gates_record_waits_for_it() -> None:
    outcome = found({"gated": False})

    assert outcome == Postponed(3.0, Waiting.DECISION, "The gate has not recorded its decision yet.")


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
        Binding("acme", ScopeRef(Scope.USER, "bob"), "noter", paused=True),
        Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", paused=False),
    ],
)
def test_bindings_of_other_places_and_agents_are_no_obstacle(binding: Binding) -> None:
    assert found(DECIDED, binding) is None


def test_a_run_whose_agent_is_paused_waits_for_the_binding_and_no_time() -> None:
    outcome = found(DECIDED, Binding("acme", ScopeRef(Scope.PROJECT, "apollo"), "noter", paused=True))

    assert outcome == Postponed(0, Waiting.PAUSED, "paused at project", paused_key("acme", "noter"))


def test_an_agent_that_is_both_switched_off_and_paused_is_switched_off() -> None:
    outcome = found(DECIDED, Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=False, paused=True))

    assert code_of(outcome) == "agent_disabled"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"queue_expires_at": NOW}, "queue_timed_out"),
        ({"run_timeout_seconds": 7}, "run_timed_out"),
    ],
)
def test_a_run_that_has_had_its_time_is_not_begun(limits: Document, code: str) -> None:
    outcome = found(run=RUN | limits)

    assert isinstance(outcome, Failed)
    assert code_of(outcome) == code


@pytest.mark.parametrize(
    ("status", "detail"),
    [(AgentStatus.PAUSED, "paused by its status"), (AgentStatus.MAINTENANCE, "in maintenance")],
)
def test_a_run_of_an_agent_that_was_stopped_since_waits(status: AgentStatus, detail: str) -> None:
    configuration = Configuration()
    configuration.replace_agents([VERSION], {"noter": status})

    outcome = obstacle(RUN, DECIDED, VERSION, {"noop"}, configuration, LATER)

    assert outcome == Postponed(0, Waiting.PAUSED, detail, paused_key("acme", "noter"))


def test_a_run_of_an_agent_that_became_inactive_is_dropped() -> None:
    configuration = Configuration()
    configuration.replace_agents([VERSION], {"noter": AgentStatus.INACTIVE})

    outcome = obstacle(RUN, DECIDED, VERSION, {"noop"}, configuration, LATER)

    assert isinstance(outcome, Refused)
    assert code_of(outcome) == "agent_inactive"


REPLAY = RUN | {"replay": {"id": "rpl_1", "of": "run_0"}}


def test_a_replay_needs_no_decision_and_not_an_active_agent() -> None:
    configuration = Configuration()
    configuration.replace_agents([VERSION], {VERSION.agent_id: AgentStatus.INACTIVE})

    assert obstacle(REPLAY, {"gated": True, "decisions": []}, VERSION, {"noop"}, configuration, LATER) is None


def test_a_replay_is_refused_where_its_agent_is_disabled() -> None:
    outcome = found(DECIDED, Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=False), run=REPLAY)

    assert code_of(outcome) == "agent_disabled"
