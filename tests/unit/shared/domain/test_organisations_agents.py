"""Agents of organisations beside those of the server: who sees which, and what their status does."""

import pytest

from contracts.agent_kinds import AgentStatus
from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.decide import decide, record
from shared.domain.decision import Reason, RunDecided, Skipped, explanation
from tests.unit.shared.given import NOW, an_event, triggered

SERVERS = AgentVersion(4, triggered("noter", instructions="The server's."))
ACMES = AgentVersion(1, triggered("noter", instructions="Acme's."), "acme")
ACMES_ONLY = AgentVersion(2, triggered("abacus"), "acme")
OF_ACME = an_event(organisationid="acme", projectid="apollo", userid="ada")
OF_HARBOUR = an_event(organisationid="harbour", projectid="apollo", userid="ada")


def configured(statuses: dict[str, AgentStatus] | None = None, *bindings: Binding) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([SERVERS, ACMES, ACMES_ONLY], statuses)
    configuration.replace_bindings(bindings)
    return configuration


def test_an_organisations_own_version_hides_the_servers_there_only() -> None:
    configuration = configured()

    assert configuration.agent("acme", "noter") is ACMES
    assert configuration.agent("harbour", "noter") is SERVERS
    assert configuration.agents_of("") == {"noter": SERVERS}


def test_an_organisations_own_agent_is_triggered_by_its_own_events_only() -> None:
    configuration = configured()

    assert configuration.triggered_by("checkin.submitted", "acme") == (ACMES_ONLY, ACMES)
    assert configuration.triggered_by("checkin.submitted", "harbour") == (SERVERS,)


def test_a_decision_pins_the_version_of_whose_agent_it_is() -> None:
    configuration = configured()

    acmes = [record("ev_1", decision)["agent_version_id"] for decision in decide(OF_ACME, configuration, NOW)]
    harbours = [record("ev_1", decision)["agent_version_id"] for decision in decide(OF_HARBOUR, configuration, NOW)]

    assert acmes == ["acme/abacus:2", "acme/noter:1"]
    assert harbours == ["noter:4"]


def test_an_organisations_agents_are_forgotten_once_it_has_none() -> None:
    configuration = configured()

    configuration.replace_agents([SERVERS])

    assert configuration.agents_of("acme") == {"noter": SERVERS}


def test_a_binding_holds_for_the_override_too() -> None:
    disabled = Binding("acme", ScopeRef(Scope.ORGANISATION, "acme"), "noter", enabled=False)

    decided = decide(OF_ACME, configured(None, disabled), NOW)

    assert decided[1] == Skipped("noter", 1, Reason.DISABLED, disabled.at)


def test_an_inactive_agent_starts_nothing_and_the_decision_says_why() -> None:
    (decision,) = decide(OF_HARBOUR, configured({"noter": AgentStatus.INACTIVE}), NOW)

    assert decision == Skipped("noter", 4, Reason.AGENT_INACTIVE, None)
    assert "inactive" in explanation(decision)


def test_the_status_of_the_servers_agent_is_not_that_of_an_override() -> None:
    decisions = decide(OF_ACME, configured({"noter": AgentStatus.INACTIVE}), NOW)

    assert all(isinstance(decision, RunDecided) for decision in decisions)


@pytest.mark.parametrize(
    ("status", "because"),
    [
        (AgentStatus.PAUSED, "paused by its status"),
        (AgentStatus.MAINTENANCE, "in maintenance"),
        (AgentStatus.ACTIVE, None),
    ],
)
def test_the_runs_of_an_agent_wait_as_its_status_says(status: AgentStatus, because: str | None) -> None:
    effective = configured({"noter": status}).effective(SERVERS.spec, "harbour", None, None)

    assert effective.waits_because == because
    assert effective.is_enabled


def test_a_new_status_is_obeyed_though_the_old_one_was_asked_for() -> None:
    configuration = configured({"noter": AgentStatus.PAUSED})
    assert configuration.effective(SERVERS.spec, "harbour", None, None).waits_because is not None

    configuration.replace_agents([SERVERS], {})

    assert configuration.effective(SERVERS.spec, "harbour", None, None).waits_because is None
