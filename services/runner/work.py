"""What a handler gets: one attempt of one run, with everything that the attempt may use."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from contracts.agents import AgentSpec
from services.runner.recorder import StepRecorder
from shared.domain.run import Claim, Done, Usage


@dataclass(slots=True)
class Attempt:
    """One attempt. `event` is the CloudEvent as JSON; `usage` grows with every model call."""

    claim: Claim
    run: dict[str, Any]
    spec: AgentSpec
    event: dict[str, Any]
    steps: StepRecorder
    usage: Usage = field(default_factory=Usage)


class Handler(Protocol):
    """Does the work of an Agent version. Raises an AppError when it cannot; returns its output and effects."""

    async def __call__(self, attempt: Attempt) -> Done: ...
