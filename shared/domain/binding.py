"""What one scope says about one Agent, and which scopes have a say."""

from dataclasses import dataclass
from datetime import datetime

from contracts.active_hours import ActiveHours
from contracts.agents import BindingLimits, CallMode, ModelTier, Schedule, Scope
from contracts.ids import derived_id
from contracts.lanes import Lane

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

    A disabled Agent starts no runs; the runs of a paused one wait. `call_mode` is how models are called for it, `model`
    which of the two.
    """

    organisation: str
    at: ScopeRef
    agent_key: str
    enabled: bool | None = None
    paused: bool | None = None
    schedule: Schedule | None = None
    call_mode: CallMode | None = None
    priority_level: Lane | None = None
    model: ModelTier | None = None
    active_hours: ActiveHours | None = None
    limits: BindingLimits | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None

    @property
    def id(self) -> str:
        return binding_id(self.organisation, self.at, self.agent_key)


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
