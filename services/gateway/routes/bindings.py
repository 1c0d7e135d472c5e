"""/api/bindings: Agents are switched on and off, and given schedules, at each of the four scopes."""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.agents import AgentKey, CallMode, Schedule, Scope
from contracts.envelope import Identifier
from services.gateway.answers import json_answer
from services.gateway.auth import Caller, Role
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import BindingList, BindingView, binding_view
from shared.domain.binding import Binding, ScopeRef

log = structlog.get_logger()
router = APIRouter(tags=["bindings"])


class BindingChange(BaseModel):
    """What a scope is to say about an Agent. Null says nothing, and leaves it to the other scopes.

    A disabled Agent starts no runs; those of a paused one are queued, and wait until it is paused no more.
    """

    model_config = ConfigDict(extra="forbid")

    agent_key: AgentKey
    scope: Scope
    scope_id: Annotated[Identifier | None, Field(description="Not for the server; the organisation's is known.")] = None
    enabled: bool | None = None
    paused: bool | None = None
    call_mode: CallMode | None = None
    schedule: Schedule | None = None


@router.get("/api/bindings", response_model=BindingList)
async def list_bindings(
    request: Request, scope: Scope | None = None, scope_id: str | None = None, agent_key: str | None = None
) -> Response:
    """List the bindings of the server and of the caller's organisation; those of other users only for admins."""
    gateway, caller = gateway_of(request), await caller_of(request)
    query: dict[str, Any] = {"organisation": {"$in": ["", caller.organisation]}}
    filters = {"scope": scope, "scope_id": scope_id, "agent_key": agent_key}
    query |= {name: value for name, value in filters.items() if value is not None}
    if not caller.sees_organisation:
        query["$or"] = [{"scope": {"$ne": Scope.USER}}, {"scope_id": caller.user}]
    found = sorted(await gateway.bindings.find(query), key=lambda binding: (binding.agent_key, binding.at.scope))
    return json_answer({"bindings": [binding_view(binding) for binding in found]})


@router.put("/api/bindings", response_model=BindingView)
async def put_binding(request: Request, change: BindingChange) -> Response:
    """Write what one scope says about one Agent, over what it said before; obeyed everywhere within a second."""
    gateway, caller = gateway_of(request), await caller_of(request)
    at = _scope_of(change, caller)
    _check_allowed(caller, at)
    published = await gateway.agents.published()
    known = {version.spec.key for version in published if version.organisation in {"", caller.organisation}}
    if change.agent_key not in known:
        raise RequestInvalid(f"There is no Agent '{change.agent_key}'; there are: {', '.join(sorted(known))}.")
    binding = Binding(
        organisation="" if at.scope is Scope.SERVER else caller.organisation,
        at=at,
        agent_key=change.agent_key,
        enabled=change.enabled,
        paused=change.paused,
        call_mode=change.call_mode,
        schedule=change.schedule,
        updated_at=gateway.clock(),
        updated_by=caller.user,
    )
    await gateway.bindings.put(binding)
    log.info(
        "binding.changed",
        agent=binding.agent_key,
        scope=at.scope,
        scope_id=at.id,
        enabled=binding.enabled,
        paused=binding.paused,
        by=caller.user,
    )
    return json_answer(binding_view(binding))


def _scope_of(change: BindingChange, caller: Caller) -> ScopeRef:
    match change.scope:
        case Scope.SERVER:
            if change.scope_id:
                raise RequestInvalid("scope_id: the server has none; leave it out.")
            return ScopeRef(Scope.SERVER)
        case Scope.ORGANISATION:
            if change.scope_id not in {None, caller.organisation}:
                raise Forbidden(f"Your token is for organisation '{caller.organisation}'.")
            return ScopeRef(Scope.ORGANISATION, caller.organisation)
        case Scope.PROJECT | Scope.USER:
            if change.scope_id is None:
                raise RequestInvalid(f"scope_id: name the {change.scope}.")
            return ScopeRef(change.scope, change.scope_id)


def _check_allowed(caller: Caller, at: ScopeRef) -> None:
    admins = {Role.ORGANISATION_ADMIN, Role.SERVER_ADMIN}
    match at.scope:
        case Scope.SERVER:
            is_allowed = Role.SERVER_ADMIN in caller.roles
        case Scope.ORGANISATION:
            is_allowed = not caller.roles.isdisjoint(admins)
        case Scope.PROJECT:
            is_allowed = caller.administers(at.id)
        case Scope.USER:
            is_allowed = at.id == caller.user or caller.sees_organisation
    if not is_allowed:
        raise Forbidden(f"Your roles do not let you set bindings of the {at.scope}{f' {at.id!r}' if at.id else ''}.")
