"""The gate's rule: what the bindings of four scopes say about one Agent, resolved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.agent_kinds import AgentStatus
from contracts.agents import CallMode, Schedule, Scope
from contracts.ids import derived_id

ORDER: tuple[Scope, ...] = (Scope.SERVER, Scope.ORGANISATION, Scope.PROJECT, Scope.USER)
"""From the widest scope to the most specific."""


@dataclass(frozen=True, slots=True)
class ScopeRef:
    """One scope: the server, or the organisation, project or user with this id. The server's id is empty."""

    scope: Scope
    id: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """What one scope says about one Agent; `None` says nothing. `organisation` is empty for the server's.

    A disabled Agent starts no runs; the runs of a paused one wait. `call_mode` is how models are called for it.
    """

    organisation: str
    at: ScopeRef
    agent_key: str
    enabled: bool | None = None
    paused: bool | None = None
    schedule: Schedule | None = None
    call_mode: CallMode | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None

    @property
    def id(self) -> str:
        return binding_id(self.organisation, self.at, self.agent_key)


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds for one Agent in one place, and which scope decided it; `None` means the version's default did.

    `status` is that of the Agent itself.
    """

    is_enabled: bool
    decided_by: ScopeRef | None
    schedule: Schedule | None
    schedule_decided_by: ScopeRef | None
    paused_by: ScopeRef | None = None
    call_mode: CallMode | None = None
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


def binding_id(organisation: str, at: ScopeRef, agent_key: str) -> str:
    """Return the id of the only binding that this scope can have for this Agent."""
    return derived_id("bnd", organisation, at.scope, at.id, agent_key)


def scope_chain(organisation: str, project: str | None, user: str | None) -> tuple[tuple[str, ScopeRef], ...]:
    """Return, widest first, the scopes that have a say for work of this user in this project, each with its tenant."""
    chain = [("", ScopeRef(Scope.SERVER)), (organisation, ScopeRef(Scope.ORGANISATION, organisation))]
    if project is not None:
        chain.append((organisation, ScopeRef(Scope.PROJECT, project)))
    if user is not None:
        chain.append((organisation, ScopeRef(Scope.USER, user)))
    return tuple(chain)


def resolve(default_schedule: Schedule | None, bindings: Iterable[Binding]) -> Effective:
    """Resolve bindings given widest scope first.

    Any disabled binding disables, and the widest of them is named, since nothing below it can change the answer.
    So it is with pausing. The schedule is that of the most specific binding that has one, then the version's default;
    so it is with the call mode, which has no default here.
    """
    disabled_by: ScopeRef | None = None
    enabled_by: ScopeRef | None = None
    paused_by: ScopeRef | None = None
    call_mode: CallMode | None = None
    schedule, schedule_decided_by = default_schedule, None
    for binding in bindings:
        if binding.enabled is False:
            disabled_by = disabled_by or binding.at
        elif binding.enabled:
            enabled_by = binding.at
        if binding.paused:
            paused_by = paused_by or binding.at
        call_mode = binding.call_mode or call_mode
        if binding.schedule is not None:
            schedule, schedule_decided_by = binding.schedule, binding.at
    decided_by = disabled_by or enabled_by
    return Effective(disabled_by is None, decided_by, schedule, schedule_decided_by, paused_by, call_mode)
