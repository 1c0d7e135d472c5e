"""What a handler gets: one attempt of one run, with everything that the attempt may use."""

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from contracts.agents import AgentSpec, CallMode
from services.runner.recorder import StepRecorder
from shared.domain.decision import named
from shared.domain.effective import EffectiveLimits
from shared.domain.run import Claim, Done, Usage


@dataclass(slots=True)
class Attempt:
    """One attempt. `event` is the CloudEvent as JSON; `usage` grows with every model call.

    `is_cancelled` is set before the attempt's task is cancelled because somebody wants the run to end: only then is
    what goes on at the provider to be ended, too, and no further step is made. `call_mode` is what the organisation
    wants, when it says anything. `spec` has the limits that hold, and `limits` says who set them. `produced` is what there is of the output so far, for a run that a limit ends.
    """

    claim: Claim
    run: dict[str, Any]
    spec: AgentSpec
    event: dict[str, Any]
    steps: StepRecorder
    usage: Usage = field(default_factory=Usage)
    call_mode: CallMode | None = None
    produced: dict[str, Any] = field(default_factory=dict)
    limits: EffectiveLimits | None = None

    @property
    def is_cancelled(self) -> bool:
        return self.steps.is_closed

    @is_cancelled.setter
    def is_cancelled(self, is_cancelled: bool) -> None:
        self.steps.is_closed = is_cancelled

    def owner_of(self, limit: Literal["request_limit", "total_tokens_limit", "timeout_seconds"]) -> str:
        """Say whose limit it is: the Agent's, or a binding's that is stricter."""
        decided = None if self.limits is None else getattr(self.limits, limit).decided_by
        return f"'{self.spec.key}'" if decided is None else f"the binding of {named(decided)}"


class Handler(Protocol):
    """Does the work of an Agent version. Raises an AppError when it cannot; returns its output and effects."""

    async def __call__(self, attempt: Attempt) -> Done: ...
