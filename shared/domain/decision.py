"""A decision: what the gate recorded for one event and one Agent."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from contracts.agents import Scope
from contracts.ids import run_id
from contracts.lanes import Lane
from shared.domain.binding import ScopeRef


class Reason(StrEnum):
    """Why an Agent did not start."""

    DISABLED = "disabled"
    AGENT_INACTIVE = "agent_inactive"
    TARGET_MISSING = "target_missing"


MANUAL_TARGET = "manual_run"
"""The type of the target of a run that somebody asked for without naming one; its id is that of the request."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a run works on, such as one doc."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class RunDecided:
    """The Agent starts: this is the run. `agent_organisation` is whose the Agent is, empty for the server's."""

    agent_key: str
    agent_version: int
    target: Target
    lane: Lane
    decided_by: ScopeRef | None
    agent_organisation: str = ""

    def run_id(self, event_key: str) -> str:
        return run_id(event_key, self.agent_key, self.target.type, self.target.id)


@dataclass(frozen=True, slots=True)
class Skipped:
    """The Agent does not start, because of a binding, of its status, or because the event does not say what to work on."""

    agent_key: str
    agent_version: int
    reason: Reason
    decided_by: ScopeRef | None
    detail: str = ""


Decision = RunDecided | Skipped


def explanation(decision: Decision) -> str:
    """Say in one sentence what was decided and by what."""
    match decision:
        case RunDecided():
            return f"{decision.agent_key} starts on {decision.target.type} {decision.target.id}."
        case Skipped(reason=Reason.DISABLED):
            return f"{decision.agent_key} is disabled by the binding of {_named(decision.decided_by)}."
        case Skipped(reason=Reason.AGENT_INACTIVE):
            return f"{decision.agent_key} is inactive: PUT /api/agents/{decision.agent_key}/status makes it active."
        case Skipped(reason=Reason.TARGET_MISSING):
            return f"{decision.agent_key} cannot start: {decision.detail}."
        case Skipped():
            raise ValueError(decision.reason)
        case _:
            assert_never(decision)


def _named(at: ScopeRef | None) -> str:
    if at is None:
        return "no scope"
    return "the server" if at.scope is Scope.SERVER else f"{at.scope} {at.id}"
