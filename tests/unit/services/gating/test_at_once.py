"""Which events are stored together with their decisions."""

from typing import Any

import pytest

from contracts.agents import AgentSpec, Scope
from contracts.envelope import Event
from services.gating.at_once import recorded_at_once
from services.gating.overlap import Decided
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import decide
from tests.unit.shared.given import NOW, a_spec, a_version, an_event

WHOSE: dict[str, Any] = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"}
ADA = {"type": "user", "id": "{userid}"}


def at_once(event: Event, *agents: AgentSpec, enabled: bool | None = None) -> list[str] | None:
    """Return the reasons that are stored with the event, or None when it is stored without decisions."""
    configuration = Configuration()
    configuration.replace_agents([a_version(agent) for agent in agents])
    at = ScopeRef(Scope.USER, "ada")
    configuration.replace_bindings([Binding("acme", at, agent.key, enabled=enabled) for agent in agents])
    decided: Decided = {event.key: decide(event, configuration, NOW)}
    records = recorded_at_once([event], decided, configuration).get(event.key)
    return None if records is None else [str(each["reason"]) for each in records]


def checkin() -> Event:
    return an_event("checkin.submitted", **WHOSE)


def a_starting_spec() -> AgentSpec:
    return a_spec(triggers=[{"event": "checkin.submitted", "target": ADA}])


def test_what_starts_nothing_is_stored_with_its_decisions() -> None:
    assert at_once(checkin(), a_starting_spec(), enabled=False) == ["disabled"]
    assert at_once(checkin()) == []


def test_what_starts_a_run_is_not() -> None:
    assert at_once(checkin(), a_starting_spec(), enabled=True) is None


@pytest.mark.parametrize(
    "behaviour",
    [{"on_idle": {"target": ADA}}, {"after_messages": {"count": 3, "event": "checkin.submitted", "target": ADA}}],
)
def test_what_an_agent_goes_by_is_not(behaviour: dict[str, Any]) -> None:
    assert at_once(checkin(), a_spec(**behaviour), enabled=True) is None


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("member.joined", {"timezone": "UTC"}),
        ("member.left", {}),
        ("session.deleted", {"session_id": "s-1"}),
    ],
)
def test_what_is_written_down_elsewhere_first_is_not(type_: str, data: dict[str, Any]) -> None:
    assert at_once(an_event(type_, data=data, **WHOSE)) is None
