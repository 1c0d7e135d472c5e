"""What the gate decides about triggers made of what people do, and which of them can be published."""

from typing import Any

import pytest

from contracts.agents import Scope
from contracts.envelope import Event
from shared.domain.agent_check import AgentUnfit, checked
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import decide
from shared.domain.decision import Reason, RunDecided, Skipped
from tests.unit.shared.given import NOW, a_spec, a_version, an_event

TARGET = {"type": "user", "id": "{userid}"}
IDLE = {"on_idle": {"target": TARGET}}
COUNTING: dict[str, Any] = {"after_messages": {"count": 3, "target": TARGET}}
TURN = an_event("chat.turn_completed", organisationid="acme")


def configured(*bindings: Binding, **fields: Any) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([a_version(a_spec("noter", **fields))])
    configuration.replace_bindings(bindings)
    return configuration


def own(type: str, agent_key: str = "noter") -> Event:
    return an_event(type, organisationid="acme", userid="ada", data={"agent_key": agent_key})


@pytest.mark.parametrize(("type", "fields"), [("user.idle_detected", IDLE), ("messages.counted", COUNTING)])
def test_an_own_event_starts_the_agent_that_it_names(type: str, fields: dict[str, Any]) -> None:
    (decision,) = decide(own(type), configured(**fields), NOW)

    assert isinstance(decision, RunDecided)
    assert (decision.target.type, decision.target.id) == ("user", "ada")
    assert decide(own(type, "other"), configured(**fields), NOW) == []
    assert decide(own(type), configured(), NOW) == []


def test_a_message_is_counted_outside_active_hours_and_not_while_the_agent_is_off() -> None:
    closed = {"active_hours": {"start": "01:00", "end": "02:00"}}
    off = Binding("", ScopeRef(Scope.SERVER), "noter", enabled=False)

    (counted,) = decide(TURN, configured(**COUNTING, **closed), NOW)
    (disabled,) = decide(TURN, configured(off, **COUNTING), NOW)

    assert (counted, disabled) == (
        Skipped("noter", 1, Reason.COUNTED, None, "this is one of 3"),
        Skipped("noter", 1, Reason.DISABLED, ScopeRef(Scope.SERVER)),
    )


def test_an_event_that_names_nobody_to_count_for_says_so() -> None:
    counting = {"after_messages": COUNTING["after_messages"] | {"event": "doc.updated"}}

    (decision,) = decide(an_event("doc.updated", userid=None), configured(**counting), NOW)

    assert isinstance(decision, Skipped)
    assert (decision.reason, decision.detail) == (Reason.TARGET_MISSING, "the event has no userid")


@pytest.mark.parametrize(
    ("fields", "field", "told"),
    [
        ({"on_idle": {"target": TARGET, "activity": ["doc.updatd"]}}, "on_idle.activity.0", "'doc.updated'"),
        ({"on_idle": {"target": TARGET, "activity": ["user.idle_detected"]}}, "on_idle.activity.0", "publishes"),
        ({"on_idle": {"target": TARGET, "idle_threshold_minutes": 0}}, "on_idle.idle_threshold_minutes", "0.01"),
        ({"on_idle": {"target": TARGET, "user_filter": "nobody"}}, "on_idle.user_filter", "'member'"),
        ({"after_messages": {"target": TARGET, "count": 1_001}}, "after_messages.count", "1000"),
        ({"after_messages": {"target": TARGET, "count": 1, "event": "chat"}}, "after_messages.event", "publishes"),
        (
            {"after_messages": {"target": TARGET, "count": 1, "event": "doc.updated", "per": "session"}},
            "after_messages.per",
            "names no session",
        ),
        (
            {"schedule_trigger": {"target": TARGET, "unless": {"event": "checkin.submited", "within_seconds": 5}}},
            "schedule_trigger.unless.event",
            "'checkin.submitted'",
        ),
        (
            {"schedule_trigger": {"target": TARGET, "for_each": "organisation", "user_filter": "member.user == 'a'"}},
            "schedule_trigger.user_filter",
            "'for_each' is organisation",
        ),
        (
            {"schedule_trigger": {"target": TARGET, "for_each": "project", "user_filter": "member.user == 'a'"}},
            "schedule_trigger.user_filter",
            "'for_each' is project",
        ),
    ],
)
def test_what_cannot_be_published_names_the_field(fields: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(AgentUnfit) as caught:
        checked({"key": "noter", "name": "Noter", **fields})

    (error,) = caught.value.errors
    assert error.field == field
    assert told in error.message
