"""What was asked of the offline model: enough to prove that a call was made once, or was given up."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any


class CallStatus(StrEnum):
    """How a call went. CANCELLED means that the caller hung up or cancelled it before its end."""

    RUNNING = "running"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Call:
    """One call; never its texts. `fault` is the kind of the fault that hit it."""

    id: str
    kind: str
    model: str
    time: datetime
    metadata: Mapping[str, str]
    fault: str | None = None
    status: CallStatus = CallStatus.RUNNING
    input_tokens: int = 0
    output_tokens: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the call as the endpoint shows it."""
        return {**asdict(self), "cancelled": self.status is CallStatus.CANCELLED}


class Journal:
    """The last calls, oldest first, never more than `limit`."""

    def __init__(self, limit: int, clock: Callable[[], datetime]) -> None:
        self._limit = limit
        self._clock = clock
        self._calls: dict[str, Call] = {}
        self._total = 0

    def begin(self, call_id: str, kind: str, model: str, metadata: Mapping[str, str], fault: str | None) -> None:
        """Record that a call arrived."""
        self._total += 1
        self._calls[call_id] = Call(call_id, kind, model, self._clock(), dict(metadata), fault)
        if len(self._calls) > self._limit:
            del self._calls[next(iter(self._calls))]

    def end(self, call_id: str, status: CallStatus, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Record how a call went; one that was cleared or pushed out meanwhile stays forgotten."""
        call = self._calls.get(call_id)
        if call is not None:
            self._calls[call_id] = replace(call, status=status, input_tokens=input_tokens, output_tokens=output_tokens)

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
        self._total = 0

    def as_json(self) -> dict[str, Any]:
        """Return the calls kept, and how many there were in all."""
        return {"calls": [call.as_json() for call in self._calls.values()], "total": self._total, "limit": self._limit}
