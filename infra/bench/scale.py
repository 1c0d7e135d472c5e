"""How much is measured."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scale:
    """The sizes of all scenarios."""

    accept_seconds: float
    warm_up_runs: int
    noop_runs: int
    gated_events: int
    paced_seconds: float
    slow_runs: int
    finished_runs: int
    status_requests: int
    pending_proposals: int
    inbox_requests: int
    indexed_chunks: int


FULL: Final = Scale(
    accept_seconds=4.0,
    warm_up_runs=1_000,
    noop_runs=5_000,
    gated_events=20_000,
    paced_seconds=15.0,
    slow_runs=2_000,
    finished_runs=100_000,
    status_requests=300,
    pending_proposals=10_000,
    inbox_requests=300,
    indexed_chunks=100_000,
)
QUICK: Final = Scale(
    accept_seconds=1.0,
    warm_up_runs=300,
    noop_runs=1_000,
    gated_events=4_000,
    paced_seconds=3.0,
    slow_runs=600,
    finished_runs=10_000,
    status_requests=50,
    pending_proposals=10_000,
    inbox_requests=50,
    indexed_chunks=5_000,
)
