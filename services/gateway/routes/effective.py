"""What is on and why: for one Agent in one place, and for all Agents as one scope has set them."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from contracts.agents import Scope
from services.gateway.answers import json_answer
from services.gateway.auth import Caller
from services.gateway.configured import configuration_of
from services.gateway.effective_views import EffectiveView, SettingsAnswer, effective_view
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import binding_view
from shared.domain.binding import ScopeRef, scope_chain
from shared.domain.effective import resolve
from shared.errors import NotFound

router = APIRouter(tags=["bindings"])


@router.get("/api/agents/{key}/effective", response_model=EffectiveView)
async def show_effective(request: Request, key: str, project: str | None = None, user: str | None = None) -> Response:
    """Say what holds for an Agent's work for this user, or else the caller, in this project, and which scope decided.

    Another user is for a backend or an admin to ask for.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    user = caller.on_behalf_of(user)
    configuration = await configuration_of(gateway, caller.organisation, key)
    version = configuration.agent(caller.organisation, key)
    if version is None:
        there = ", ".join(sorted(configuration.agents_of(caller.organisation)))
        raise NotFound(f"There is no Agent '{key}'; there are: {there}.")
    effective = configuration.effective(version.spec, caller.organisation, project, user)
    return json_answer(effective_view(version, effective, gateway.clock(), await gateway.background.read()))


@router.get("/api/settings", response_model=SettingsAnswer)
async def show_settings(request: Request, scope: Scope, scope_id: str | None = None) -> Response:
    """Say for every published Agent what this scope says itself, and what holds there in the end and why.

    The wider scopes count as well; a project's settings are without those of users, and a user's without projects'.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    chain = _chain(scope, scope_id, caller)
    tenant, at = chain[-1]
    configuration = await configuration_of(gateway, caller.organisation)
    settings, background = [], await gateway.background.read()
    for key, version in sorted(configuration.agents_of(caller.organisation).items()):
        said = configuration.said(key, [(tenant, at)])
        effective = resolve(version.spec, configuration.said(key, chain))
        effective = replace(effective, status=configuration.status(caller.organisation, key))
        says = binding_view(said[0]) if said else None
        settings.append({**effective_view(version, effective, gateway.clock(), background), "says": says})
    return json_answer({"scope": at.scope, "scope_id": at.id, "settings": settings})


def _chain(scope: Scope, scope_id: str | None, caller: Caller) -> tuple[tuple[str, ScopeRef], ...]:
    """Return the scopes that have a say in this one, widest first and itself last; raises as a wrong name deserves."""
    organisation = caller.organisation
    match scope:
        case Scope.SERVER:
            if scope_id:
                raise RequestInvalid("scope_id: the server has none; leave it out.")
            return scope_chain(organisation, None, None)[:1]
        case Scope.ORGANISATION:
            if scope_id not in {None, organisation}:
                raise Forbidden(f"Your token is for organisation '{organisation}'.")
            return scope_chain(organisation, None, None)
        case Scope.PROJECT:
            if not scope_id:
                raise RequestInvalid("scope_id: name the project.")
            return scope_chain(organisation, scope_id, None)
        case Scope.USER:
            return scope_chain(organisation, None, caller.on_behalf_of(scope_id or None))
