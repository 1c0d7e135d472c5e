"""A decision: what the gate recorded for one event and one Agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from contracts.agents import Scope
from contracts.ids import run_id
from contracts.lanes import Lane
from shared.domain.binding import ScopeRef


class Reason(StrEnum):
    """Why an Agent did not start."""

    DISABLED = "disabled"
    AGENT_INACTIVE = "agent_inactive"
    TARGET_MISSING = "target_missing"
    OVERLAP = "overlap"
    FILTERED = "filtered"
    FILTER_FAILED = "filter_failed"
    OUTSIDE_ACTIVE_HOURS = "outside_active_hours"


MANUAL_TARGET = "manual_run"
"""The type of the target of a run that somebody asked for without naming one; its id is that of the request."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a run works on, such as one doc."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class RunDecided:
    """The Agent starts: this is the run, and these are the runs whose place it takes.

    `agent_organisation` is whose the Agent is, empty for the server's.
    """

    agent_key: str
    agent_version: int
    target: Target
    lane: Lane
    decided_by: ScopeRef | None
    replaces: tuple[str, ...] = ()
    agent_organisation: str = ""

    def run_id(self, event_key: str) -> str:
        return run_id(event_key, self.agent_key, self.target.type, self.target.id)


@dataclass(frozen=True, slots=True)
class Skipped:
    """The Agent does not start: because of a binding, its status or hours, what the event says, or a run that is open."""

    agent_key: str
    agent_version: int
    reason: Reason
    decided_by: ScopeRef | None
    detail: str = ""


Decision = RunDecided | Skipped


_WHY_NOT: Final[Mapping[Reason, str]] = {
    Reason.DISABLED: "{agent} is disabled by the binding of {scope}.",
    Reason.AGENT_INACTIVE: "{agent} is inactive: PUT /api/agents/{agent}/status makes it active.",
    Reason.TARGET_MISSING: "{agent} cannot start: {detail}.",
    Reason.FILTERED: "{agent} does not start: the event does not satisfy {detail}.",
    Reason.FILTER_FAILED: "{agent} cannot start: its filter {detail}.",
    Reason.OUTSIDE_ACTIVE_HOURS: "{agent} is outside its active hours, {detail}.",
    Reason.OVERLAP: "{agent} does not start: its run {detail} is open, and overlap is skip.",
}


def explanation(decision: Decision) -> str:
    """Say in one sentence what was decided and by what."""
    match decision:
        case RunDecided(replaces=replaces):
            start = f"{decision.agent_key} starts on {decision.target.type} {decision.target.id}"
            return f"{start}, in place of {', '.join(replaces)}." if replaces else f"{start}."
        case Skipped():
            said = {"agent": decision.agent_key, "scope": named(decision.decided_by), "detail": decision.detail}
            return _WHY_NOT[decision.reason].format(**said)
        case _:
            assert_never(decision)


def named(at: ScopeRef | None) -> str:
    """Say the scope in words."""
    if at is None:
        return "no scope"
    return "the server" if at.scope is Scope.SERVER else f"{at.scope} {at.id}"
