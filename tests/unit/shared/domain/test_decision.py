"""What a decision says in words, and the run that it names."""

import pytest

from contracts.agents import Scope
from contracts.lanes import Lane
from shared.domain.binding import ScopeRef
from shared.domain.decision import Reason, RunDecided, Skipped, Target, explanation


@pytest.mark.parametrize(
    ("decided_by", "named"),
    [
        (ScopeRef(Scope.SERVER), "the server"),
        (ScopeRef(Scope.ORGANISATION, "acme"), "organisation acme"),
        (ScopeRef(Scope.PROJECT, "apollo"), "project apollo"),
        (ScopeRef(Scope.USER, "ada"), "user ada"),
    ],
)
def test_a_disabled_agent_is_explained_by_the_binding_that_disabled_it(decided_by: ScopeRef, named: str) -> None:
    skipped = Skipped("noter", 3, Reason.DISABLED, decided_by)

    assert explanation(skipped) == f"noter is disabled by the binding of {named}."


def test_a_missing_target_is_explained_by_what_is_missing() -> None:
    skipped = Skipped("noter", 3, Reason.TARGET_MISSING, None, "the event has no projectid")

    assert explanation(skipped) == "noter cannot start: the event has no projectid."


def test_a_started_agent_is_explained_by_its_target() -> None:
    decided = RunDecided("noter", 3, Target("doc", "plan"), Lane.LOW, None)

    assert explanation(decided) == "noter starts on doc plan."


def test_the_run_depends_on_event_agent_and_target_and_on_nothing_else() -> None:
    decided = RunDecided("noter", 3, Target("doc", "plan"), Lane.LOW, None)
    same = RunDecided("noter", 4, Target("doc", "plan"), Lane.HIGH, ScopeRef(Scope.SERVER))
    others = [
        RunDecided("reader", 3, Target("doc", "plan"), Lane.LOW, None),
        RunDecided("noter", 3, Target("chat", "plan"), Lane.LOW, None),
        RunDecided("noter", 3, Target("doc", "other"), Lane.LOW, None),
    ]

    assert same.run_id("ev_1") == decided.run_id("ev_1")
    assert len({decided.run_id("ev_1"), decided.run_id("ev_2"), *(each.run_id("ev_1") for each in others)}) == 5
