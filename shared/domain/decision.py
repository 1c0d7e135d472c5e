"""A decision: what the gate recorded for one event and one Agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from contracts.agents import Scope
from contracts.ids import run_id
from contracts.lanes import Lane
from shared.domain.agent_id import version_id
from shared.domain.binding import ScopeRef
from shared.domain.debounce import Debounce


class Reason(StrEnum):
    """Why an Agent did not start."""

    DISABLED = "disabled"
    AGENT_INACTIVE = "agent_inactive"
    TARGET_MISSING = "target_missing"
    OVERLAP = "overlap"
    FILTERED = "filtered"
    FILTER_FAILED = "filter_failed"
    OUTSIDE_ACTIVE_HOURS = "outside_active_hours"
    COOLDOWN = "cooldown"
    EVENT_SEEN = "event_seen"
    COUNTED = "counted"
    JOB_ENDED = "job_ended"


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

    `agent_organisation` is whose the Agent is, empty for the server's. The run waits as its own trigger says;
    `cooldown_seconds` is how long no other one is started for its target.
    """

    agent_key: str
    agent_version: int
    target: Target
    lane: Lane
    decided_by: ScopeRef | None
    replaces: tuple[str, ...] = ()
    agent_organisation: str = ""
    delay_seconds: int = 0
    debounce: Debounce | None = None
    cooldown_seconds: int = 0

    @property
    def agent_version_id(self) -> str:
        return version_id(self.agent_organisation, self.agent_key, self.agent_version)

    def run_id(self, event_key: str) -> str:
        return run_id(event_key, self.agent_key, self.target.type, self.target.id)


@dataclass(frozen=True, slots=True)
class Coalesced:
    """A run that waits for more events of the target has taken this one: it works on the last that it has taken."""

    agent_key: str
    agent_version: int
    target: Target
    decided_by: ScopeRef | None
    into: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """The Agent does not start: because of a binding, its status or hours, what the event says, or a run that is open.

    Or the event that its schedule looks for has been seen, or this one is only counted.
    """

    agent_key: str
    agent_version: int
    reason: Reason
    decided_by: ScopeRef | None
    detail: str = ""


Decision = RunDecided | Coalesced | Skipped


_WHY_NOT: Final[Mapping[Reason, str]] = {
    Reason.DISABLED: "{agent} is disabled by the binding of {scope}.",
    Reason.AGENT_INACTIVE: "{agent} is inactive: PUT /api/agents/{agent}/status makes it active.",
    Reason.TARGET_MISSING: "{agent} cannot start: {detail}.",
    Reason.FILTERED: "{agent} does not start: the event does not satisfy {detail}.",
    Reason.FILTER_FAILED: "{agent} cannot start: its filter {detail}.",
    Reason.OUTSIDE_ACTIVE_HOURS: "{agent} is outside its active hours, {detail}.",
    Reason.COOLDOWN: "{agent} does not start: its cooldown for this target lasts {detail}.",
    Reason.EVENT_SEEN: "{agent} does not start: {detail}.",
    Reason.COUNTED: "{agent} counts messages: {detail}.",
    Reason.JOB_ENDED: "{agent} does not start: {detail}.",
    Reason.OVERLAP: "{agent} does not start: its run {detail} is open, and overlap is skip.",
}


def explanation(decision: Decision) -> str:
    """Say in one sentence what was decided and by what."""
    match decision:
        case RunDecided(replaces=replaces):
            start = f"{decision.agent_key} starts on {decision.target.type} {decision.target.id}{_when(decision)}"
            return f"{start}, in place of {', '.join(replaces)}." if replaces else f"{start}."
        case Coalesced(into=into):
            target = f"{decision.target.type} {decision.target.id}"
            return f"{decision.agent_key} takes it up in its run {into}, which waits for more about {target}."
        case Skipped():
            said = {"agent": decision.agent_key, "scope": named(decision.decided_by), "detail": decision.detail}
            return _WHY_NOT[decision.reason].format(**said)
        case _:
            assert_never(decision)


def _when(decision: RunDecided) -> str:
    if decision.debounce is not None:
        return f" once nothing more has come for {decision.debounce.seconds} s"
    return f" in {decision.delay_seconds} s" if decision.delay_seconds else ""


def named(at: ScopeRef | None) -> str:
    """Say the scope in words."""
    if at is None:
        return "no scope"
    return "the server" if at.scope is Scope.SERVER else f"{at.scope} {at.id}"
