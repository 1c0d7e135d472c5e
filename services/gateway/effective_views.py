"""What holds for an Agent, as the API shows it: each value with the scope that decided it, and in words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from contracts.agents import AgentSpec
from services.gateway.periodic_work import SETTING, background_value, switched_off
from services.gateway.views import BindingView, ScopeView, View
from shared.domain.active_hours import hours_text, is_open, next_opening
from shared.domain.behaviour_text import behaviour_text
from shared.domain.binding import ScopeRef
from shared.domain.configuration import AgentVersion
from shared.domain.decision import named
from shared.domain.effective import Decided, Effective
from shared.domain.schedule import schedule_text
from shared.store.background import Background


class ValueView(View):
    """One value. Without `decided_by` it is that of the version, or of nobody; `explanation` says it in words."""

    value: Any
    decided_by: ScopeView | None
    explanation: str


class EffectiveView(View):
    """What holds for one Agent in one place, by name of the value; `explanation` says in words whether it starts."""

    agent_key: str
    agent_version: int
    values: dict[str, ValueView]
    explanation: str


class SettingView(EffectiveView):
    """What one scope says about an Agent, if it says anything, and what holds there in the end."""

    says: BindingView | None


class SettingsAnswer(View):
    scope: str
    scope_id: str
    settings: list[SettingView]


def effective_view(
    version: AgentVersion, effective: Effective, now: datetime, background: Background | None
) -> dict[str, Any]:
    """Return everything that holds for this version of an Agent; now says whether its hours are open."""
    values = {**_values(effective), **_behaviour(version.spec)}
    off = switched_off(background) if effective.schedule is not None else None
    return {
        "agent_key": version.spec.key,
        "agent_version": version.number,
        "values": {
            **{name: _value_view(name, decided) for name, decided in values.items()},
            SETTING: background_value(background),
        },
        "explanation": " ".join(part for part in (_summary(version.spec.key, effective, now), off) if part),
    }


def scope_view(at: ScopeRef | None) -> dict[str, str] | None:
    return None if at is None else {"scope": at.scope.value, "scope_id": at.id}


def _values(effective: Effective) -> Mapping[str, Decided[Any]]:
    return {
        "enabled": Decided(effective.is_enabled, effective.decided_by),
        "paused": Decided(effective.waits_because is not None, effective.paused_by),
        "schedule": Decided(effective.schedule, effective.schedule_decided_by),
        "call_mode": Decided(effective.call_mode, effective.call_mode_decided_by),
        "priority_level": effective.priority_level,
        "model": effective.model,
        "active_hours": effective.active_hours,
        "limits.request_limit": effective.limits.request_limit,
        "limits.total_tokens_limit": effective.limits.total_tokens_limit,
        "limits.timeout_seconds": effective.limits.timeout_seconds,
    }


def _behaviour(spec: AgentSpec) -> Mapping[str, Decided[Any]]:
    """Return what the version says of people's behaviour; no binding changes it."""
    trigger = spec.schedule_trigger
    said = {
        "on_idle": spec.on_idle,
        "after_messages": spec.after_messages,
        "schedule_trigger.user_filter": None if trigger is None else trigger.user_filter,
        "schedule_trigger.unless": None if trigger is None else trigger.unless,
    }
    return {name: Decided(value) for name, value in said.items() if value is not None}


_TEXTS: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "schedule": schedule_text,
        "active_hours": hours_text,
        "on_idle": behaviour_text,
        "after_messages": behaviour_text,
        "schedule_trigger.unless": behaviour_text,
    }
)


def _value_view(name: str, decided: Decided[Any]) -> dict[str, Any]:
    value = decided.value
    return {
        "value": value.model_dump(mode="json") if isinstance(value, BaseModel) else value,
        "decided_by": scope_view(decided.decided_by),
        "explanation": f"{name} is {_text(name, value)}, {_reason(name, decided)}.",
    }


def _reason(name: str, decided: Decided[Any]) -> str:
    if decided.decided_by is not None:
        return f"as the binding of {named(decided.decided_by)} says"
    return "as no binding says otherwise" if name in {"enabled", "paused"} else "as the version of the Agent says"


def _text(name: str, value: Any) -> str:
    match name, value:
        case "call_mode", None:
            return "that of the runner"
        case _, None:
            return "not set"
        case _, bool():
            return str(value).lower()
        case _:
            return _TEXTS.get(name, str)(value)


def _summary(key: str, effective: Effective, now: datetime) -> str:
    hours = effective.active_hours.value
    if effective.is_inactive:
        return f"{key} starts no runs: its status is inactive."
    if not effective.is_enabled:
        return f"{key} starts no runs: the binding of {named(effective.decided_by)} disables it."
    if hours is not None and not is_open(hours, now):
        opens = next_opening(hours, now)
        return f"{key} starts no runs now: it is active {hours_text(hours)}, next from {opens:%Y-%m-%d %H:%M} UTC."
    if effective.paused_by is not None:
        return f"The runs of {key} are queued and wait: the binding of {named(effective.paused_by)} pauses it."
    if effective.waits_because is not None:
        return f"The runs of {key} are queued and wait: it is {effective.waits_because}."
    said_by = "no binding says otherwise" if effective.decided_by is None else f"{named(effective.decided_by)} says so"
    return f"{key} is on: {said_by}."
