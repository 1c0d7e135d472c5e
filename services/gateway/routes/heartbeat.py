"""/api/heartbeat/agents/{key}: what has an Agent check in by itself, as a view onto the organisation's binding."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from contracts.active_hours import ActiveHours
from contracts.agents import Schedule, Scope
from services.gateway.agent_access import the_agent
from services.gateway.agent_runs import FiredView, RunResult, latest_fire, latest_run
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.configured import configuration_of
from services.gateway.effective_views import EffectiveView, effective_view
from services.gateway.problems import RequestInvalid
from services.gateway.routes.agent_actions import ExecuteAnswer, ExecuteRequest, execute_agent
from services.gateway.routes.bindings import BindingChange, binding_from, write_binding
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import View
from shared.domain.binding import Binding, scope_chain
from shared.domain.configuration import AgentVersion, Configuration
from shared.errors import NotFound

router = APIRouter(tags=["heartbeat"])

Document = dict[str, Any]
_PATH = "/api/heartbeat/agents/{key}"


class HeartbeatConfig(BaseModel):
    """What the organisation says of an Agent's heartbeat; null says nothing, and leaves it to the other scopes."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool | None = None
    schedule: Schedule | None = None
    active_hours: ActiveHours | None = None


class HeartbeatAnswer(View):
    """What the organisation's binding says, and what holds in the organisation in the end, and why."""

    agent_key: str
    enabled: bool | None
    schedule: dict[str, Any] | None
    active_hours: dict[str, Any] | None
    effective: EffectiveView
    warnings: list[str]


class LastHeartbeat(View):
    """The latest fire with what came of it, and the latest run, whatever started it: a run by hand, too."""

    agent_key: str
    fire: FiredView | None
    agent_run: RunResult | None


@router.get(f"{_PATH}/config", response_model=HeartbeatAnswer)
async def show_config(request: Request, key: str) -> Response:
    """Show when an Agent checks in: its schedule, its active hours, and whether it is enabled."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(await _shown(gateway, caller, key, []))


@router.put(f"{_PATH}/config", response_model=HeartbeatAnswer)
async def put_config(request: Request, key: str, config: HeartbeatConfig) -> Response:
    """Write these three into the organisation's binding; what else it says stays. Obeyed within a second."""
    gateway, caller = gateway_of(request), await caller_of(request)
    configuration, version = await _found(gateway, caller, key)
    if config.schedule is not None and version.spec.schedule_trigger is None:
        raise RequestInvalid(
            f"schedule: version {version.number} of '{key}' has no schedule_trigger; publish one first."
        )
    said = {name: getattr(config, name) for name in HeartbeatConfig.model_fields}
    change = BindingChange(agent_key=key, scope=Scope.ORGANISATION, **said)
    fresh = binding_from(change, caller, gateway.clock())
    present = _says(configuration, caller, key)
    binding = replace(present or fresh, updated_at=fresh.updated_at, updated_by=fresh.updated_by, **said)
    warnings = await write_binding(gateway, binding, version.spec)
    return json_answer(await _shown(gateway, caller, key, warnings))


@router.post(f"{_PATH}/run", status_code=202, response_model=ExecuteAnswer, responses=problems(409))
async def run_now(request: Request, key: str, wanted: ExecuteRequest | None = None) -> Response:
    """Have an Agent check in now: the same as executing it by hand."""
    return await execute_agent(request, key, wanted)


@router.get(f"{_PATH}/last", response_model=LastHeartbeat)
async def show_last(request: Request, key: str) -> Response:
    """Show when an Agent was fired last, what the gate decided, and what its run answered.

    Backends and admins see those of the organisation, others their own.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    await the_agent(gateway, caller, key)
    fire, run = await latest_fire(gateway, caller, key), await latest_run(gateway, caller, key)
    return json_answer({"agent_key": key, "fire": fire, "agent_run": run})


async def _found(gateway: Gateway, caller: Caller, key: str) -> tuple[Configuration, AgentVersion]:
    configuration = await configuration_of(gateway, caller.organisation, key)
    version = configuration.agent(caller.organisation, key)
    if version is None:
        raise NotFound(f"There is no published Agent '{key}' for you. GET /api/agents lists those there are.")
    return configuration, version


def _says(configuration: Configuration, caller: Caller, key: str) -> Binding | None:
    """Return the binding of the organisation, if it has one."""
    said = configuration.said(key, scope_chain(caller.organisation, None, None)[1:])
    return said[0] if said else None


async def _shown(gateway: Gateway, caller: Caller, key: str, warnings: Sequence[str]) -> Document:
    configuration, version = await _found(gateway, caller, key)
    says = _says(configuration, caller, key)
    schedule, hours = (None, None) if says is None else (says.schedule, says.active_hours)
    effective = configuration.effective(version.spec, caller.organisation, None, None)
    return {
        "agent_key": key,
        "enabled": None if says is None else says.enabled,
        "schedule": None if schedule is None else schedule.model_dump(mode="json"),
        "active_hours": None if hours is None else hours.model_dump(mode="json"),
        "effective": effective_view(version, effective, gateway.clock(), await gateway.background.read()),
        "warnings": list(warnings),
    }
