"""What a change of an Agent does to its open runs, and whether somebody has to confirm it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from contracts.agent_kinds import AgentStatus
from contracts.agents import AgentSpec
from contracts.lifecycle import Shutdown


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A status that an Agent is to have, and what becomes of its open runs."""

    status: AgentStatus
    shutdown: Shutdown = Shutdown.GRACEFUL


@dataclass(frozen=True, slots=True)
class Archiving:
    """The Agent is published no more; the runs that there are go on."""


@dataclass(frozen=True, slots=True)
class Disabling:
    """A binding disables the Agent: a queued run is cancelled when its turn comes, a running one goes on."""


Change = StatusChange | Archiving | Disabling


@dataclass(frozen=True, slots=True)
class OpenRuns:
    """How many runs are open that the change is about."""

    queued: int
    running: int


@dataclass(frozen=True, slots=True)
class Cancels:
    """How many open runs the change ends that would go on without it."""

    queued: int = 0
    running: int = 0

    @property
    def reasons(self) -> list[str]:
        """Say why somebody has to confirm the change; nothing when nobody has to."""
        queued = f"{_runs(self.queued, 'queued')} would be cancelled."
        running = f"{_runs(self.running, 'running')} would be stopped."
        return [text for count, text in ((self.queued, queued), (self.running, running)) if count]


def cancels(change: Change, runs: OpenRuns) -> Cancels:
    """Return what the change would end of these runs."""
    match change:
        case StatusChange(status=AgentStatus.ACTIVE) | Archiving():
            return Cancels()
        case StatusChange(shutdown=Shutdown.IMMEDIATE):
            return Cancels(runs.queued, runs.running)
        case StatusChange(status=AgentStatus.INACTIVE) | Disabling():
            return Cancels(runs.queued)
        case StatusChange():
            return Cancels()


def dependents(key: str, specs: Iterable[AgentSpec]) -> list[str]:
    """Return the keys of other Agents whose filters name this one as a text, in their order."""
    quoted = (f"'{key}'", f'"{key}"')
    return sorted(
        spec.key
        for spec in specs
        if spec.key != key and any(text in (trigger.when or "") for trigger in spec.triggers for text in quoted)
    )


def _runs(count: int, kind: str) -> str:
    return f"{count} {kind} run" if count == 1 else f"{count} {kind} runs"
