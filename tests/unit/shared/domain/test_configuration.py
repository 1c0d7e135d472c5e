"""A configuration in memory: which Agents an event triggers, and which bindings hold where."""

from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from tests.unit.shared.given import a_spec, a_version, triggered

NOTER = triggered("noter")


def configuration(*bindings: Binding) -> Configuration:
    made = Configuration()
    made.replace_agents([a_version(NOTER)])
    made.replace_bindings(bindings)
    return made


def disabled(organisation: str, scope: Scope, id: str, agent_key: str = "noter") -> Binding:
    return Binding(organisation, ScopeRef(scope, id), agent_key, enabled=False)


def test_an_event_triggers_its_agents_in_the_order_of_their_keys() -> None:
    made = Configuration()
    made.replace_agents(
        [a_version(triggered("zoe")), a_version(triggered("abe")), a_version(triggered("m", "doc.created"))]
    )

    assert [version.spec.key for version in made.triggered_by("checkin.submitted")] == ["abe", "zoe"]
    assert made.triggered_by("ticket.opened") == ()


def test_what_behaviour_agents_wait_for_changes_with_them_and_not_with_bindings() -> None:
    made = configuration()
    before = made.behaviour
    made.replace_bindings([disabled("acme", Scope.USER, "ada")])
    unchanged, waits_at_first = made.behaviour, made.waits_for_idle
    made.replace_agents(
        [a_version(a_spec(on_idle={"idle_threshold_minutes": 5, "target": {"type": "user", "id": "{userid}"}}))]
    )

    assert (unchanged == before, waits_at_first) == (True, False)
    assert (made.behaviour == before, made.waits_for_idle) == (False, True)


def test_an_agent_with_two_triggers_for_one_event_is_listed_once() -> None:
    twice = a_spec(triggers=[*NOTER.triggers, *NOTER.triggers])
    made = Configuration()

    made.replace_agents([a_version(twice)])

    assert len(made.triggered_by("checkin.submitted")) == 1


def test_agents_that_are_no_longer_published_trigger_nothing() -> None:
    made = configuration()

    made.replace_agents([])

    assert made.triggered_by("checkin.submitted") == ()
    assert made.agents_of("") == {}


def test_a_binding_holds_only_in_its_own_place() -> None:
    made = configuration(disabled("acme", Scope.PROJECT, "apollo"))

    assert not made.effective(NOTER, "acme", "apollo", "ada").is_enabled
    assert made.effective(NOTER, "acme", "gemini", "ada").is_enabled
    assert made.effective(NOTER, "acme", None, "ada").is_enabled


def test_a_binding_of_another_organisation_never_holds_even_for_equal_ids() -> None:
    made = configuration(disabled("other", Scope.PROJECT, "apollo"), disabled("other", Scope.USER, "ada"))

    assert made.effective(NOTER, "acme", "apollo", "ada").is_enabled


def test_a_binding_of_the_server_holds_for_every_organisation() -> None:
    made = configuration(disabled("", Scope.SERVER, ""))

    assert made.effective(NOTER, "acme", None, None).decided_by == ScopeRef(Scope.SERVER)
    assert not made.effective(NOTER, "other", "apollo", "ada").is_enabled


def test_a_binding_holds_only_for_its_agent() -> None:
    made = configuration(disabled("acme", Scope.USER, "ada", agent_key="reader"))

    assert made.effective(NOTER, "acme", "apollo", "ada").is_enabled


def test_a_binding_that_is_put_replaces_the_one_of_its_place() -> None:
    made = configuration(disabled("acme", Scope.USER, "ada"))

    made.put_binding(Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=True))

    effective = made.effective(NOTER, "acme", "apollo", "ada")
    assert (effective.is_enabled, effective.decided_by) == (True, ScopeRef(Scope.USER, "ada"))
