"""Published Agent versions, arranged for whoever has to find them on every event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from contracts.agents import AgentSpec
from shared.domain.agent_id import agent_id, version_id


@dataclass(frozen=True, slots=True)
class AgentVersion:
    """One published configuration of one Agent. `organisation` is whose the Agent is, empty for the server's."""

    number: int
    spec: AgentSpec
    organisation: str = ""

    @property
    def agent_id(self) -> str:
        return agent_id(self.organisation, self.spec.key)

    @property
    def id(self) -> str:
        return version_id(self.organisation, self.spec.key, self.number)


@dataclass(frozen=True, slots=True)
class Published:
    """The Agents that one organisation sees, by key, and by the type of event that concerns them in order of keys.

    `on_idle` are those that wait for users to be idle.
    """

    agents: Mapping[str, AgentVersion] = field(default_factory=dict)
    by_event: Mapping[str, tuple[AgentVersion, ...]] = field(default_factory=dict)
    on_idle: tuple[AgentVersion, ...] = ()

    @classmethod
    def of(cls, of_server: Iterable[AgentVersion], own: Iterable[AgentVersion] = ()) -> Self:
        """Arrange versions; one of the organisation's own hides the server's of the same key."""
        agents = {version.spec.key: version for version in (*of_server, *own)}
        by_event: dict[str, list[AgentVersion]] = {}
        for _, version in sorted(agents.items()):
            for event_type in _concerning(version.spec):
                by_event.setdefault(event_type, []).append(version)
        on_idle = tuple(version for version in agents.values() if version.spec.on_idle is not None)
        return cls(agents, {event_type: tuple(matching) for event_type, matching in by_event.items()}, on_idle)


def _concerning(spec: AgentSpec) -> set[str]:
    counted = set() if spec.after_messages is None else {spec.after_messages.event}
    return {trigger.event for trigger in spec.triggers} | counted
