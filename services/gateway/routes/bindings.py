"""/api/bindings: Agents are switched on and off, and given schedules, at each of the four scopes."""

from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.active_hours import ActiveHours
from contracts.agents import AgentKey, AgentSpec, BindingLimits, CallMode, ModelTier, Schedule, Scope
from contracts.envelope import Identifier
from contracts.lanes import Lane
from services.gateway.answers import json_answer
from services.gateway.auth import Caller, Role
from services.gateway.configured import published
from services.gateway.problems import Forbidden, RequestInvalid
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import BindingAnswer, BindingList, binding_view
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.schedule_warnings import schedule_warnings

log = structlog.get_logger()
router = APIRouter(tags=["bindings"])


class BindingChange(BaseModel):
    """What a scope is to say about an Agent. Null says nothing, and leaves it to the other scopes.

    A disabled Agent starts no runs; those of a paused one are queued, and wait until it is paused no more.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"agent_key": "operating_pulse", "scope": "project", "scope_id": "apollo", "enabled": False}]
        },
    )

    agent_key: AgentKey
    scope: Scope
    scope_id: Annotated[Identifier | None, Field(description="Not for the server; the organisation's is known.")] = None
    enabled: bool | None = None
    paused: bool | None = None
    call_mode: CallMode | None = None
    priority_level: Lane | None = None
    model: ModelTier | None = None
    active_hours: ActiveHours | None = None
    limits: BindingLimits | None = None
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


@router.put("/api/bindings", response_model=BindingAnswer)
async def put_binding(request: Request, change: BindingChange) -> Response:
    """Write what one scope says about one Agent, over what it said before; obeyed everywhere within a second."""
    gateway, caller = gateway_of(request), await caller_of(request)
    binding = binding_from(change, caller, gateway.clock())
    spec = agent_meant(change.agent_key, caller.organisation, await published(gateway))
    return json_answer({**binding_view(binding), "warnings": await write_binding(gateway, binding, spec)})


async def write_binding(gateway: Gateway, binding: Binding, spec: AgentSpec) -> list[str]:
    """Write what a scope says of an Agent whose published version this is; return what is doubtful about it."""
    await gateway.bindings.put(binding)
    at = binding.at
    log.info(
        "binding.changed",
        agent=binding.agent_key,
        scope=at.scope,
        scope_id=at.id,
        enabled=binding.enabled,
        paused=binding.paused,
        by=binding.updated_by,
    )
    return [] if binding.schedule is None else schedule_warnings(spec, binding.schedule)


def binding_from(change: BindingChange, caller: Caller, now: datetime) -> Binding:
    """Return the binding that the change makes, or raise Forbidden or RequestInvalid."""
    at = _scope_of(change, caller)
    _check_allowed(caller, at)
    said = {name: getattr(change, name) for name in BindingChange.model_fields if name not in {"scope", "scope_id"}}
    organisation = "" if at.scope is Scope.SERVER else caller.organisation
    return Binding(organisation, at, updated_at=now, updated_by=caller.user, **said)


def agent_meant(key: str, organisation: str, configuration: Configuration) -> AgentSpec:
    """Return what this key means for the organisation, or raise RequestInvalid when it means no Agent."""
    version = configuration.agent(organisation, key)
    if version is None:
        known = ", ".join(sorted(configuration.agents_of(organisation)))
        raise RequestInvalid(f"There is no Agent '{key}'; there are: {known}.")
    return version.spec


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
