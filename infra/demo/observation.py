"""What the gateway shows of decisions and runs, as far as a demo cares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

TERMINAL = frozenset({"completed", "failed", "cancelled"})
WELL_ENDED = frozenset({"completed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate decided for one Agent; `scope` is the level that decided, if one did."""

    agent_key: str
    outcome: str
    run_id: str | None
    scope: str | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was last seen."""

    id: str
    agent_key: str
    organisation: str
    user: str | None
    status: str
    error: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model_calls: int = 0

    @property
    def has_ended(self) -> bool:
        """Whether its status is final."""
        return self.status in TERMINAL

    @property
    def has_ended_well(self) -> bool:
        """Whether it completed, or was cancelled and says why."""
        return self.status in WELL_ENDED and bool(self.status == "completed" or self.error)


def decision_of(value: Json) -> Decision:
    """Return a decision from its document."""
    decided_by = value.get("decided_by")
    return Decision(
        agent_key=value["agent_key"],
        outcome=value["outcome"],
        run_id=value["run_id"],
        scope=None if decided_by is None else decided_by["scope"],
        explanation=value["explanation"],
    )


def run_of(value: Json) -> Run:
    """Return a run from its document."""
    error, usage = value.get("error"), value.get("usage") or {}
    return Run(
        id=value["id"],
        agent_key=value["agent_key"],
        organisation=value["organisation"],
        user=value["user"],
        status=value["status"],
        error="" if error is None else f"{error['code']}: {error['detail']}",
        input_tokens=usage.get("input_tokens", 0),
        output_tokens=usage.get("output_tokens", 0),
        model_calls=usage.get("model_calls", 0),
    )
