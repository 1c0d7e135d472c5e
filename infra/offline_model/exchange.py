"""What all requests to one offline model share."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from uuid import uuid4

from infra.offline_model.faults import Fault, FaultKind, Faults
from infra.offline_model.journal import CallStatus, Journal
from infra.offline_model.kept import KeptResponses


@dataclass(frozen=True, slots=True)
class Options:
    """How an offline model behaves: the wait before each answer, and how many calls the journal keeps."""

    latency_seconds: float = 0.0
    journal_limit: int = 10_000


@dataclass
class Visit:
    """One call while it is served."""

    id: str
    said: str
    fault: Fault | None
    status: CallStatus = CallStatus.FAILED
    input_tokens: int = 0
    output_tokens: int = 0

    def end(self, status: CallStatus, input_tokens: int = 0, output_tokens: int = 0) -> None:
        """Say how the call went; without a word it counts as failed."""
        self.status, self.input_tokens, self.output_tokens = status, input_tokens, output_tokens


@dataclass(frozen=True, slots=True)
class Exchange:
    """The faults, the journal and the kept responses of one server."""

    options: Options
    journal: Journal
    faults: Faults = field(default_factory=Faults)
    kept: KeptResponses = field(default_factory=lambda: KeptResponses(monotonic))

    @classmethod
    def fresh(cls, options: Options) -> "Exchange":
        """Return the state of a server that nobody has talked to."""
        return cls(options, Journal(options.journal_limit, lambda: datetime.now(UTC)))

    @asynccontextmanager
    async def visit(self, kind: str, model: str, said: str, metadata: Mapping[str, str]) -> AsyncIterator[Visit]:
        """Journal one call; the caller's hanging up cancels the handler, which ends it as cancelled."""
        fault = self.faults.take(said, metadata.values())
        visit = Visit(f"{kind}_{uuid4().hex}", said, fault)
        self.journal.begin(visit.id, kind, model, metadata, fault.spec.kind if fault else None)
        try:
            yield visit
        except (asyncio.CancelledError, ConnectionError):
            visit.end(CallStatus.CANCELLED)
            raise
        finally:
            self.journal.end(visit.id, visit.status, visit.input_tokens, visit.output_tokens)

    def wait_seconds(self, fault: Fault | None) -> float:
        """Return how long the answer takes."""
        slow = fault is not None and fault.kind is FaultKind.SLOW
        return self.options.latency_seconds + (fault.spec.seconds if fault is not None and slow else 0.0)
