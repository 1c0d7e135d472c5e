"""The published Agents and all bindings at one moment, and what they say for one place."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from contracts.agent_kinds import AgentStatus
from contracts.agents import AgentSpec
from contracts.behaviour import IdleTrigger, MessagesTrigger
from shared.domain.binding import Binding, ScopeRef, scope_chain
from shared.domain.effective import Effective, resolve
from shared.domain.published import AgentVersion, Published

_MOST_KNOWN = 16_384


__all__ = ["AgentVersion", "BehaviourTrigger", "Configuration"]

BehaviourTrigger = tuple[str, IdleTrigger | None, MessagesTrigger | None]
"""An Agent by its id, and what behaviour starts it."""


@dataclass(slots=True)
class Configuration:
    """Read on every event, changed by whoever watches the database; both happen on one event loop.

    An organisation sees the Agents of the server and its own; one of its own hides the server's of the same key.
    """

    _of_server: Published = field(default_factory=Published)
    _own: Mapping[str, tuple[AgentVersion, ...]] = field(default_factory=dict)
    _of_organisation: dict[str, Published] = field(default_factory=dict)
    _behaviour: AbstractSet[BehaviourTrigger] = frozenset()
    _statuses: Mapping[str, AgentStatus] = field(default_factory=dict)
    _bindings: dict[tuple[str, ScopeRef, str], Binding] = field(default_factory=dict)
    _effective: dict[tuple[str, str, str | None, str | None], tuple[AgentSpec, Effective]] = field(default_factory=dict)

    @property
    def organisations(self) -> AbstractSet[str]:
        """The organisations that have Agents of their own."""
        return self._own.keys()

    def replace_agents(
        self, versions: Iterable[AgentVersion], statuses: Mapping[str, AgentStatus] | None = None
    ) -> None:
        """Take these as all that are published, and these statuses by Agent id; an Agent without one is active."""
        own: dict[str, list[AgentVersion]] = {}
        behaviour: set[BehaviourTrigger] = set()
        for version in versions:
            own.setdefault(version.organisation, []).append(version)
            behaviour.add((version.agent_id, version.spec.on_idle, version.spec.after_messages))
        self._of_server = Published.of(own.pop("", []))
        self._own = {name: tuple(versions) for name, versions in own.items()}
        # Arranged once somebody asks: most of many organisations do not for long.
        self._of_organisation = {}
        self._behaviour = frozenset(behaviour)
        self._statuses = statuses or {}
        self._effective.clear()

    def replace_bindings(self, bindings: Iterable[Binding]) -> None:
        """Take these as all that there are."""
        self._bindings = {}
        self._effective.clear()
        for binding in bindings:
            self.put_binding(binding)

    def put_binding(self, binding: Binding) -> None:
        """Take this as what its scope says now."""
        place = (binding.organisation, binding.at, binding.agent_key)
        if self._bindings.get(place) != binding:
            self._bindings[place] = binding
            self._effective.clear()

    def agents_of(self, organisation: str) -> Mapping[str, AgentVersion]:
        """Return the Agents that this organisation sees, by key; without a name, those of the server."""
        return self._published(organisation).agents

    def agent(self, organisation: str, key: str) -> AgentVersion | None:
        """Return the Agent that this key means for this organisation."""
        return self.agents_of(organisation).get(key)

    def triggered_by(self, event_type: str, organisation: str = "") -> tuple[AgentVersion, ...]:
        """Return the organisation's Agents that this type of event starts, or is counted for, in the order of their keys."""
        return self._published(organisation).by_event.get(event_type, ())

    def waiting_for_idle(self, organisation: str) -> tuple[AgentVersion, ...]:
        """Return the organisation's Agents that wait for users to be idle."""
        return self._published(organisation).on_idle

    @property
    def behaviour(self) -> AbstractSet[BehaviourTrigger]:
        """What behaviour each published Agent waits for, or that it waits for none."""
        return self._behaviour

    @property
    def waits_for_idle(self) -> bool:
        """Whether any Agent waits for users to be idle."""
        return any(on_idle is not None for _, on_idle, _ in self._behaviour)

    def effective(self, spec: AgentSpec, organisation: str, project: str | None, user: str | None) -> Effective:
        """Resolve what holds for an Agent's work for this user in this project."""
        asked = (spec.key, organisation, project, user)
        known = self._effective.get(asked)
        # What holds depends on the version as well: an older one of the Agent is resolved anew.
        if known is None or known[0] is not spec:
            known = spec, self._resolved(spec, organisation, project, user)
            if len(self._effective) >= _MOST_KNOWN:
                self._effective.clear()
            self._effective[asked] = known
        return known[1]

    def said(self, agent_key: str, chain: Iterable[tuple[str, ScopeRef]]) -> list[Binding]:
        """Return what these scopes say about an Agent, in their order; scopes that say nothing are left out."""
        found = (self._bindings.get((tenant, at, agent_key)) for tenant, at in chain)
        return [binding for binding in found if binding is not None]

    def copy(self) -> "Configuration":
        """Return the same configuration, which can be changed on its own."""
        return replace(self, _of_organisation={}, _bindings=dict(self._bindings), _effective={})

    def _published(self, organisation: str) -> Published:
        if organisation not in self._own:
            return self._of_server
        known = self._of_organisation.get(organisation)
        if known is None:
            known = Published.of(self._of_server.agents.values(), self._own[organisation])
            self._of_organisation[organisation] = known
        return known

    def _resolved(self, spec: AgentSpec, organisation: str, project: str | None, user: str | None) -> Effective:
        effective = resolve(spec, self.said(spec.key, scope_chain(organisation, project, user)))
        status = self.status(organisation, spec.key)
        return effective if status is AgentStatus.ACTIVE else replace(effective, status=status)

    def status(self, organisation: str, agent_key: str) -> AgentStatus:
        """Return the status of the Agent that this key means for this organisation."""
        version = self.agent(organisation, agent_key)
        return AgentStatus.ACTIVE if version is None else self._statuses.get(version.agent_id, AgentStatus.ACTIVE)
