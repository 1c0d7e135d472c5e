"""What other systems reached on another run of such a machine in 2026-11; here only to be compared with.

They did less for each run: no event, no gate, mostly no record.
"""

from dataclasses import dataclass
from typing import Final

from infra.bench.figures import Headline


@dataclass(frozen=True, slots=True)
class Peer:
    """One system; a figure that is missing could not be had from it."""

    name: str
    durable_accept: str
    run_record: str
    figures: dict[Headline, float]


def _peer(
    name: str, durable: str, record: str, runs: float, start: float, done: float, ideal: float, restart: float,
    active: float | None = None,
) -> Peer:  # fmt: skip
    figures = {
        Headline.RUNS_PER_SECOND: runs,
        Headline.START_MS: start,
        Headline.DONE_MS: done,
        Headline.TIMES_IDEAL: ideal,
        Headline.RESTART_SECONDS: restart,
    }
    return Peer(name, durable, record, figures if active is None else figures | {Headline.ACTIVE_MS: active})


PEERS: Final = (
    _peer("Taskiq + NATS", "no", "result only", 3_721, 1.4, 6.7, 1.16, 7.0),
    _peer("Restate", "yes", "yes", 1_409, 4.2, 9.4, 1.32, 1.6, 104),
    _peer("Celery + RabbitMQ", "yes", "by id", 858, 3.0, 8.5, 1.19, 0.6),
    _peer("SAQ + PostgreSQL", "yes", "yes", 757, 4.6, 8.0, 1.28, 15.7, 1.1),
    _peer("DBOS", "yes", "yes", 500, 37, 42, 1.31, 0.8, 1.0),
    _peer("Procrastinate", "yes", "yes", 331, 3.9, 8.5, 1.36, 17.3, 0.9),
)
AIM: Final = _peer("Towpath, the aim", "yes", "gated, explained", 4_000, 3, 6, 1.05, 1.0, 2)
