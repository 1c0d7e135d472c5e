"""Who may set a binding where."""

import pytest

from contracts.agents import Scope
from services.gateway.auth import Caller, Role
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.routes.bindings import BindingChange, _check_allowed, _scope_of
from shared.domain.binding import ORDER, ScopeRef

PLACES = {Scope.SERVER: None, Scope.ORGANISATION: None, Scope.PROJECT: "apollo", Scope.USER: "ada"}


def change(scope: Scope, scope_id: str | None = None) -> BindingChange:
    return BindingChange(agent_key="noter", scope=scope, scope_id=scope_id)


def is_allowed(caller: Caller, scope: Scope, scope_id: str | None) -> bool:
    try:
        _check_allowed(caller, _scope_of(change(scope, scope_id), caller))
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize(
    ("roles", "user", "scopes"),
    [
        ({Role.SERVER_ADMIN}, "root", ORDER),
        ({Role.ORGANISATION_ADMIN}, "olga", (Scope.ORGANISATION, Scope.PROJECT, Scope.USER)),
        ({Role.BACKEND}, "harbour", (Scope.PROJECT, Scope.USER)),
        ({Role.PROJECT_ADMIN}, "paul", (Scope.PROJECT,)),
        (set(), "ada", (Scope.USER,)),
        (set(), "bob", ()),
    ],
)
def test_roles_reach_as_far_as_they_say(roles: set[Role], user: str, scopes: tuple[Scope, ...]) -> None:
    caller = Caller(user, "acme", frozenset(roles), frozenset({"apollo"}))

    assert tuple(scope for scope in ORDER if is_allowed(caller, scope, PLACES[scope])) == scopes


def test_an_admin_of_one_project_has_no_say_in_another() -> None:
    paul = Caller("paul", "acme", frozenset({Role.PROJECT_ADMIN}), frozenset({"apollo"}))

    assert is_allowed(paul, Scope.PROJECT, "apollo")
    assert not is_allowed(paul, Scope.PROJECT, "gemini")


def test_the_organisation_is_the_callers_own() -> None:
    olga = Caller("olga", "acme", frozenset({Role.ORGANISATION_ADMIN}))

    assert _scope_of(change(Scope.ORGANISATION), olga) == ScopeRef(Scope.ORGANISATION, "acme")
    assert _scope_of(change(Scope.ORGANISATION, "acme"), olga) == ScopeRef(Scope.ORGANISATION, "acme")
    with pytest.raises(Forbidden, match="organisation 'acme'"):
        _scope_of(change(Scope.ORGANISATION, "other"), olga)


@pytest.mark.parametrize(("scope", "scope_id"), [(Scope.SERVER, "x"), (Scope.PROJECT, None), (Scope.USER, None)])
def test_a_scope_is_named_exactly_when_it_has_a_name(scope: Scope, scope_id: str | None) -> None:
    with pytest.raises(RequestInvalid, match="scope_id"):
        _scope_of(change(scope, scope_id), Caller("ada", "acme"))
