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
class Ending:
    """How a call ends, and the moment from which it counts as ended; 0 is at once."""

    status: CallStatus
    input_tokens: int = 0
    output_tokens: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call; never its texts. `fault` is the kind of the fault that hit it, `retrievals` how often it was read."""

    id: str
    kind: str
    model: str
    time: datetime
    metadata: Mapping[str, str]
    fault: str | None = None
    background: bool = False
    status: CallStatus = CallStatus.RUNNING
    input_tokens: int = 0
    output_tokens: int = 0
    retrievals: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the call as the endpoint shows it."""
        return {**asdict(self), "cancelled": self.status is CallStatus.CANCELLED}


class Journal:
    """The last calls, oldest first, never more than `limit`. `clock` dates them, `now` counts seconds."""

    def __init__(self, limit: int, clock: Callable[[], datetime], now: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._now = now
        self._calls: dict[str, Call] = {}
        self._coming: dict[str, Ending] = {}
        self._total = 0

    def begin(
        self,
        call_id: str,
        kind: str,
        model: str,
        metadata: Mapping[str, str],
        fault: str | None,
        *,
        background: bool = False,
    ) -> None:
        """Record that a call arrived."""
        self._total += 1
        self._calls[call_id] = Call(call_id, kind, model, self._clock(), dict(metadata), fault, background)
        if len(self._calls) > self._limit:
            oldest = next(iter(self._calls))
            del self._calls[oldest]
            self._coming.pop(oldest, None)

    def end(self, call_id: str, ending: Ending) -> None:
        """Record how a call went or will go; one that was cleared or pushed out meanwhile stays forgotten."""
        call = self._calls.get(call_id)
        if call is None:
            return
        self._coming.pop(call_id, None)
        if ending.at > self._now():
            self._coming[call_id] = ending
            return
        self._calls[call_id] = replace(
            call, status=ending.status, input_tokens=ending.input_tokens, output_tokens=ending.output_tokens
        )

    def retrieved(self, call_id: str) -> None:
        """Record that somebody read the response of a call."""
        call = self._calls.get(call_id)
        if call is not None:
            self._calls[call_id] = replace(call, retrievals=call.retrievals + 1)

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
        self._coming.clear()
        self._total = 0

    def as_json(self) -> dict[str, Any]:
        """Return the calls kept, and how many there were in all."""
        for call_id, ending in list(self._coming.items()):
            self.end(call_id, ending)
        return {"calls": [call.as_json() for call in self._calls.values()], "total": self._total, "limit": self._limit}
