"""Filters of triggers: what an author may write, and what they say of events."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain.configuration import Configuration
from shared.domain.decide import decide
from shared.domain.decision import Decision, Reason, RunDecided, Skipped, explanation
from shared.domain.filtering import FilterFailed, passes
from tests.unit.shared.given import NOW, a_spec, a_version, an_event

CHECKIN = an_event(data={"today": "Ship it", "mood": None}, userid="ada")


def filtered(when: str) -> Any:
    return a_spec(triggers=[{"event": "checkin.submitted", "when": when, "target": {"type": "thing", "id": "{id}"}}])


def decided(when: str) -> Decision:
    configuration = Configuration()
    configuration.replace_agents([a_version(filtered(when))])
    (decision,) = decide(CHECKIN, configuration, NOW)
    return decision


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("event.userid == 'ada'", True),
        ("event.type.startsWith('doc.')", False),
        ("data.today.contains('Ship') && event.organisationid != ''", True),
        ("has(data.mood)", False),
        ("data.today.matches('^S.* it$')", True),
        ("['Ship it', 'Later'].exists(each, each == data.today)", True),
    ],
)
def test_an_expression_sees_the_envelope_and_the_data(when: str, *, expected: bool) -> None:
    assert filtered(when)
    assert passes(when, CHECKIN) is expected


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("data.today ==", "at character 14"),
        ("user == 'ada'", "at character 1: 'user' is not known"),
        ("data.today.shout()", "at character 12: 'shout' is not known"),
        ("data.today.matches(data.pattern)", "at character 12: the pattern"),
        ("data.today.matches('' + data.pattern)", "at character 12: the pattern"),
        ("data.a ||\ndata.b", "when"),
        ("d" * 501, "at most 500"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_field_and_position(when: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        filtered(when)

    assert "triggers.0.when" in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("data.mood == 'none'", "mood; ask with has"),
        ("data.today > 3", "overload"),
        ("data.today", "gives str"),
        ("1 / 0 == 1", "zero"),
    ],
)
def test_a_filter_that_errs_on_an_event_fails_with_the_reason(when: str, says: str) -> None:
    with pytest.raises(FilterFailed, match=says):
        passes(when, CHECKIN)


def test_an_expression_that_would_cost_too_much_fails_before_it_is_evaluated() -> None:
    event = an_event(data={"text": "x" * 90_000})

    assert passes("!data.text.contains('y')", event)
    with pytest.raises(FilterFailed, match="too large for 3 loops"):
        passes("data.all(a, data.all(b, data.all(c, data.text.contains(c))))", event)


def test_a_filter_that_passes_starts_the_agent() -> None:
    assert isinstance(decided("data.today != ''"), RunDecided)


@pytest.mark.parametrize(
    ("when", "reason", "says"),
    [
        ("data.today == ''", Reason.FILTERED, "does not satisfy its filter `data.today == ''`"),
        ("data.mood != ''", Reason.FILTER_FAILED, "its filter `data.mood != ''` failed: the event has no"),
    ],
)
def test_a_filter_that_does_not_is_a_decision_that_says_it(when: str, reason: Reason, says: str) -> None:
    decision = decided(when)

    assert isinstance(decision, Skipped)
    assert decision.reason is reason
    assert says in explanation(decision)
