"""What holds for one Agent in one place, resolved from its version and the bindings, each value with who decided it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from contracts.active_hours import ActiveHours
from contracts.agent_kinds import AgentStatus
from contracts.agents import AgentSpec, CallMode, ModelTier, Schedule
from contracts.lanes import Lane
from shared.domain.binding import Binding, ScopeRef

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decided(Generic[T]):
    """A value, and the scope whose binding decided it; `None` means the version did, or nobody."""

    value: T
    decided_by: ScopeRef | None = None


@dataclass(frozen=True, slots=True)
class EffectiveLimits:
    """The strictest limits of the version and of all scopes; None is no limit."""

    request_limit: Decided[int | None]
    total_tokens_limit: Decided[int | None]
    timeout_seconds: Decided[int | None]


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one Agent in one place, and which scope decided it; `None` means the version's default did.

    `status` is that of the Agent itself.
    """

    is_enabled: bool
    decided_by: ScopeRef | None
    schedule: Schedule | None
    schedule_decided_by: ScopeRef | None
    paused_by: ScopeRef | None
    call_mode: CallMode | None
    call_mode_decided_by: ScopeRef | None
    priority_level: Decided[Lane]
    model: Decided[ModelTier]
    active_hours: Decided[ActiveHours | None]
    limits: EffectiveLimits
    status: AgentStatus = AgentStatus.ACTIVE

    @property
    def is_inactive(self) -> bool:
        return self.status is AgentStatus.INACTIVE

    @property
    def waits_because(self) -> str | None:
        """What keeps its runs waiting, as in `paused at project`; None when nothing does."""
        match self.status:
            case AgentStatus.MAINTENANCE:
                return "in maintenance"
            case AgentStatus.PAUSED:
                return "paused by its status"
            case _:
                return None if self.paused_by is None else f"paused at {self.paused_by.scope}"


def resolve(spec: AgentSpec, bindings: Iterable[Binding]) -> Effective:
    """Resolve bindings given widest scope first.

    Any disabled binding disables, and the widest of them is named, since nothing below it can change the answer.
    So it is with pausing. Of limits the strictest holds, whoever says it. Everything else is that of the most specific
    binding that has one, then the version's. The call mode has no default here: the runner may have one, too.
    """
    said = tuple(bindings)
    disabled_by = next((each.at for each in said if each.enabled is False), None)
    enabled_by = next((each.at for each in reversed(said) if each.enabled), None)
    trigger = spec.schedule_trigger
    schedule = _most_specific(None if trigger is None else trigger.schedule, [(e.schedule, e.at) for e in said])
    call_mode = _most_specific(spec.model.mode, [(each.call_mode, each.at) for each in said])
    return Effective(
        is_enabled=disabled_by is None,
        decided_by=disabled_by or enabled_by,
        schedule=schedule.value,
        schedule_decided_by=schedule.decided_by,
        paused_by=next((each.at for each in said if each.paused), None),
        call_mode=call_mode.value,
        call_mode_decided_by=call_mode.decided_by,
        priority_level=_most_specific(spec.priority_level, [(each.priority_level, each.at) for each in said]),
        model=_most_specific(spec.model.tier, [(each.model, each.at) for each in said]),
        active_hours=_most_specific(spec.active_hours, [(each.active_hours, each.at) for each in said]),
        limits=_limits(spec, said),
    )


def _most_specific(default: T, said: Sequence[tuple[T | None, ScopeRef]]) -> Decided[T]:
    return next((Decided(value, at) for value, at in reversed(said) if value is not None), Decided(default))


def _limits(spec: AgentSpec, said: Iterable[Binding]) -> EffectiveLimits:
    limits = [(each.limits, each.at) for each in said if each.limits is not None]
    return EffectiveLimits(
        _strictest(spec.limits.request_limit, [(each.request_limit, at) for each, at in limits]),
        _strictest(spec.limits.total_tokens_limit, [(each.total_tokens_limit, at) for each, at in limits]),
        _strictest(spec.timeout_seconds, [(each.timeout_seconds, at) for each, at in limits]),
    )


def _strictest(default: int | None, said: Iterable[tuple[int | None, ScopeRef]]) -> Decided[int | None]:
    """Return the smallest; of equal ones that of the version, then of the widest scope."""
    decided: Decided[int | None] = Decided(default)
    for value, at in said:
        if value is not None and (decided.value is None or value < decided.value):
            decided = Decided(value, at)
    return decided


def obeying(spec: AgentSpec, effective: Effective) -> AgentSpec:
    """Return the version as it is to be executed: with the model tier and the limits that hold."""
    request_limit = effective.limits.request_limit.value
    total_tokens_limit = effective.limits.total_tokens_limit.value
    timeout_seconds = effective.limits.timeout_seconds.value
    own = (spec.model.tier, spec.limits.request_limit, spec.limits.total_tokens_limit, spec.timeout_seconds)
    if own == (effective.model.value, request_limit, total_tokens_limit, timeout_seconds):
        # Mostly so, and copies are dear.
        return spec
    limits = {"request_limit": request_limit, "total_tokens_limit": total_tokens_limit}
    return spec.model_copy(
        update={
            "model": spec.model.model_copy(update={"tier": effective.model.value}),
            "limits": spec.limits.model_copy(update=limits),
            "timeout_seconds": timeout_seconds,
        }
    )
