"""The published Agents and all bindings at one moment, and what they say for one place."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from contracts.agents import AgentSpec
from shared.domain.binding import Binding, ScopeRef, scope_chain
from shared.domain.effective import Effective, resolve

_MOST_KNOWN = 16_384


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """One published configuration of one Agent."""

    number: int
    spec: AgentSpec


@dataclass(slots=True)
class Configuration:
    """Read on every event, changed by whoever watches the database; both happen on one event loop."""

    agents: dict[str, AgentVersion] = field(default_factory=dict)
    _bindings: dict[tuple[str, ScopeRef, str], Binding] = field(default_factory=dict)
    _by_event: dict[str, tuple[AgentVersion, ...]] = field(default_factory=dict)
    _effective: dict[tuple[str, str, str | None, str | None], tuple[AgentSpec, Effective]] = field(default_factory=dict)

    def replace_agents(self, versions: Iterable[AgentVersion]) -> None:
        """Take these as all that are published."""
        self.agents = {version.spec.key: version for version in versions}
        by_event: dict[str, list[AgentVersion]] = {}
        for version in self.agents.values():
            for event_type in {trigger.event for trigger in version.spec.triggers}:
                by_event.setdefault(event_type, []).append(version)
        self._by_event = {
            event_type: tuple(sorted(matching, key=lambda version: version.spec.key))
            for event_type, matching in by_event.items()
        }

    def replace_bindings(self, bindings: Iterable[Binding]) -> None:
        """Take these as all that there are."""
        self._bindings = {}
        self._effective = {}
        for binding in bindings:
            self.put_binding(binding)

    def put_binding(self, binding: Binding) -> None:
        self._bindings[(binding.organisation, binding.at, binding.agent_key)] = binding
        self._effective.clear()

    def triggered_by(self, event_type: str) -> tuple[AgentVersion, ...]:
        """Return the Agents with a trigger for this type of event, in the order of their keys."""
        return self._by_event.get(event_type, ())

    def effective(self, spec: AgentSpec, organisation: str, project: str | None, user: str | None) -> Effective:
        """Resolve what holds for an Agent's work for this user in this project."""
        asked = (spec.key, organisation, project, user)
        known = self._effective.get(asked)
        # What holds depends on the version as well: an older one of the Agent is resolved anew.
        if known is None or known[0] is not spec:
            known = spec, resolve(spec, self.said(spec.key, scope_chain(organisation, project, user)))
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
        return Configuration(dict(self.agents), dict(self._bindings), dict(self._by_event))
