"""The life of a run: its statuses, its one transition table, and how an attempt may end."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RunStatus(StrEnum):
    """The public status of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
TERMINAL = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})

TRANSITIONS: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.FAILED}),
    # To itself: another runner takes over a run whose lease ran out.
    RunStatus.RUNNING: frozenset({RunStatus.RUNNING, RunStatus.QUEUED, *TERMINAL}),
    # By the resumption of a batch only.
    RunStatus.COMPLETED: frozenset({RunStatus.QUEUED}),
    # By a redrive only.
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),
    # By the resumption of a batch only.
    RunStatus.CANCELLED: frozenset({RunStatus.QUEUED}),
}


def may_become(status: RunStatus) -> tuple[RunStatus, ...]:
    """Return the statuses from which a run may take this one; every write of a status filters on them."""
    return tuple(source for source, targets in TRANSITIONS.items() if status in targets)


class Waiting(StrEnum):
    """What keeps a queued run out of the dispatch queue.

    The first six end at a time, or by a change of configuration; `session` when a turn of a chat has ended; the next four
    when a place becomes free; `children` when the runs of a batch have ended.
    """

    DELAY = "delay"
    DEBOUNCE = "debounce"
    RETRY = "retry"
    DECISION = "decision"
    PROVIDER = "provider"
    PAUSED = "paused"
    SESSION = "session"
    TARGET = "target"
    AGENT = "agent"
    ORGANISATION = "organisation"
    SERVER = "server"
    CHILDREN = "children"


@dataclass(frozen=True, slots=True)
class Claim:
    """A runner's right to write to a run: true only while the run still carries this attempt and owner."""

    run_id: str
    attempt: int
    owner: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What the model calls of a run used."""

    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0

    def plus(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.model_calls + other.model_calls,
        )

    def beyond(self, other: "Usage") -> "Usage":
        """Return what was used after `other` had been."""
        return Usage(
            max(0, self.input_tokens - other.input_tokens),
            max(0, self.output_tokens - other.output_tokens),
            max(0, self.model_calls - other.model_calls),
        )

    def at_least(self, other: "Usage") -> "Usage":
        """Return the larger of each figure: an attempt counts the calls it replays, but may end before it does."""
        return Usage(
            max(self.input_tokens, other.input_tokens),
            max(self.output_tokens, other.output_tokens),
            max(self.model_calls, other.model_calls),
        )


@dataclass(frozen=True, slots=True)
class RunError:
    """Why an attempt or a run failed: a stable code, and what a person should know."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Done:
    """The attempt produced its output; `effects` are what it asks for, as `shared.domain.effect` makes them.

    `tally` counts what a batch of such runs adds up, under the names that it is shown by.
    """

    output: dict[str, Any]
    effects: tuple[dict[str, Any], ...] = ()
    tally: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The attempt failed, and another one makes sense after this delay."""

    delay_seconds: float
    error: RunError


@dataclass(frozen=True, slots=True)
class Postponed:
    """The attempt could not begin, or not go on, for now; nothing failed, and it is tried again after this delay."""

    delay_seconds: float
    waiting_for: Waiting
    detail: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed, and another one would fail too, or there are none left; `partial` is what it produced."""

    error: RunError
    partial: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The run must not go on: the Agent was switched off, or the gate's record does not name this run."""

    error: RunError


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody wanted the run to end, and it has; `spent_after` is what it used after that.

    `only_if_wanted`: it is not known that somebody does, and if nobody does, the run is left alone.
    """

    error: RunError
    spent_after: Usage
    only_if_wanted: bool = False


Outcome = Done | RetryAfter | Postponed | Failed | Refused | Cancelled
