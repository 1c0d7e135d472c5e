"""What all requests to one offline model share."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from uuid import uuid4

from infra.offline_model.faults import Fault, FaultKind, Faults
from infra.offline_model.journal import CallStatus, Ending, Journal
from infra.offline_model.kept import KeptResponses

_FOR_EVER_SECONDS = 10.0 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Options:
    """How an offline model behaves: the wait before each answer, and how many calls the journal keeps.

    Each wait is drawn between the two; the longest counts only when it is longer.
    """

    latency_seconds: float = 0.0
    most_latency_seconds: float = 0.0
    journal_limit: int = 10_000


@dataclass
class Visit:
    """One call while it is served; as long as nobody says how it ended, it counts as failed."""

    id: str
    said: str
    fault: Fault | None
    ending: Ending = field(default_factory=lambda: Ending(CallStatus.FAILED))


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
        return cls(options, Journal(options.journal_limit, lambda: datetime.now(UTC), monotonic))

    @asynccontextmanager
    async def visit(
        self, kind: str, model: str, said: str, metadata: Mapping[str, str], *, background: bool = False
    ) -> AsyncIterator[Visit]:
        """Journal one call; the caller's hanging up cancels the handler, which ends it as cancelled."""
        fault = self.faults.take([said, *metadata.values()])
        visit = Visit(f"{kind}_{uuid4().hex}", said, fault)
        hit_by = fault.spec.kind if fault else None
        self.journal.begin(visit.id, kind, model, metadata, hit_by, background=background)
        try:
            yield visit
        except (asyncio.CancelledError, ConnectionError):
            visit.ending = Ending(CallStatus.CANCELLED)
            raise
        finally:
            self.journal.end(visit.id, visit.ending)

    def wait_seconds(self, fault: Fault | None) -> float:
        """Return how long the answer takes."""
        if fault is not None and fault.kind is FaultKind.STUCK:
            return _FOR_EVER_SECONDS
        return self._latency_seconds() + slow_seconds(fault)

    def _latency_seconds(self) -> float:
        shortest, longest = self.options.latency_seconds, self.options.most_latency_seconds
        return random.uniform(shortest, max(shortest, longest))  # noqa: S311 - only spreads answers


def slow_seconds(fault: Fault | None) -> float:
    """Return by how much the fault delays an answer."""
    return fault.spec.seconds if fault is not None and fault.kind is FaultKind.SLOW else 0.0
