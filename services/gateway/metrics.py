"""The figures of the installation in Prometheus text: read when asked for, and not more often than every few seconds."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from contracts.lanes import ORDER
from shared.domain.dead_letter import DeadLetterKind, DeadLetterStatus
from shared.domain.run import RunStatus, Waiting
from shared.errors import MessagingUnavailable, StorageUnavailable
from shared.messaging.backlog import Backlog, ConsumerBacklog
from shared.store.metrics import MetricsStore, OpenRuns, Violations

FRESH_SECONDS = 5.0

_DECIDED = ("kept", DeadLetterStatus.REDRIVEN, DeadLetterStatus.DISCARDED)


@dataclass(frozen=True, slots=True)
class Stored:
    """What MongoDB says."""

    runs: list[OpenRuns] = field(default_factory=list)
    dead_letters: Mapping[tuple[str, str], int] = field(default_factory=dict)
    dead_letter_totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    violations: Violations | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures of one moment; none from a server that does not answer."""

    stored: Stored | None
    backlog: Mapping[str, ConsumerBacklog] | None


class Metrics:
    """Reads the figures, and remembers them for some seconds, so that scraping cannot load the database."""

    def __init__(self, store: MetricsStore) -> None:
        self._store = store
        self._backlog: Backlog | None = None
        self._reading = asyncio.Lock()
        self._text = b""
        self._read_at = float("-inf")

    def attach(self, backlog: Backlog) -> None:
        """Ask this for what the streams hold from now on."""
        self._backlog = backlog

    async def text(self) -> bytes:
        """Return the exposition."""
        async with self._reading:
            if time.monotonic() - self._read_at >= FRESH_SECONDS:
                self._text = exposition(Snapshot(await self._stored(), await self._counts()))
                self._read_at = time.monotonic()
            return self._text

    async def _stored(self) -> Stored | None:
        try:
            return Stored(
                await self._store.open_runs(),
                await self._store.dead_letters(),
                await self._store.dead_letter_totals(),
                await self._store.violations(),
            )
        except StorageUnavailable:
            return None

    async def _counts(self) -> Mapping[str, ConsumerBacklog] | None:
        try:
            return None if self._backlog is None else await self._backlog.counts()
        except MessagingUnavailable:
            return None


def exposition(snapshot: Snapshot) -> bytes:
    """Return the figures in the text format of Prometheus. No figure names a tenant."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(snapshot))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        stored, backlog = self._snapshot.stored, self._snapshot.backlog
        yield _gauge(
            "towpath_server_up",
            "Whether the gateway reaches the server.",
            ["server"],
            [(["mongodb"], float(stored is not None)), (["nats"], float(backlog is not None))],
        )
        if stored is not None:
            yield from _runs(stored.runs)
            yield from _dead_letters(stored)
            yield from _violations(stored.violations)
        if backlog is not None:
            yield from _backlog(backlog)


def _runs(runs: Iterable[OpenRuns]) -> Iterator[Metric]:
    open_ = {(status.value, lane.value): 0.0 for status in (RunStatus.QUEUED, RunStatus.RUNNING) for lane in ORDER}
    waiting = {(what.value,): 0.0 for what in Waiting}
    waiting_age = dict(waiting)
    dispatched_age = {(lane.value,): 0.0 for lane in ORDER}
    for each in runs:
        open_[each.status, each.lane] = open_.get((each.status, each.lane), 0.0) + each.count
        if each.waiting_for is not None:
            waiting[each.waiting_for,] = waiting.get((each.waiting_for,), 0.0) + each.count
            waiting_age[each.waiting_for,] = max(waiting_age.get((each.waiting_for,), 0.0), each.oldest_age_seconds)
        elif each.status == RunStatus.QUEUED:
            dispatched_age[each.lane,] = max(dispatched_age[each.lane,], each.oldest_age_seconds)
    about = "Runs that are open, or have ended and are not settled yet."
    yield _gauge("towpath_runs", about, ["status", "lane"], open_.items())
    about = "How long the oldest run has been queued that waits for nothing but a runner."
    yield _gauge("towpath_runs_queued_oldest_age_seconds", about, ["lane"], dispatched_age.items())
    about = "Queued runs that wait, by what they wait for."
    yield _gauge("towpath_runs_waiting", about, ["waiting_for"], waiting.items())
    about = "How long the oldest of them has been queued."
    yield _gauge("towpath_runs_waiting_oldest_age_seconds", about, ["waiting_for"], waiting_age.items())


def _dead_letters(stored: Stored) -> Iterator[Metric]:
    kinds_and_statuses = ((kind, status) for kind in DeadLetterKind for status in DeadLetterStatus)
    counts = {key: float(stored.dead_letters.get(key, 0)) for key in kinds_and_statuses}
    yield _gauge("towpath_dead_letters", "Dead letters that are kept.", ["kind", "status"], counts.items())
    for what in _DECIDED:
        totals = stored.dead_letter_totals.get(what, {})
        counter = CounterMetricFamily(f"towpath_dead_letters_{what}", f"Dead letters ever {what}.", labels=["kind"])
        for kind in DeadLetterKind:
            counter.add_metric([kind], totals.get(kind, 0))
        yield counter


def _violations(violations: Violations | None) -> Iterator[Metric]:
    if violations is None:
        return
    counts = {(name,): float(count) for name, count in violations.by_name.items()}
    yield _gauge("towpath_invariant_violations", "What the last check found wrong.", ["invariant"], counts.items())
    about = "When the invariants were checked last."
    yield _gauge("towpath_invariants_checked_timestamp_seconds", about, [], [([], violations.at.timestamp())])


def _backlog(backlog: Mapping[str, ConsumerBacklog]) -> Iterator[Metric]:
    pending = {(name,): float(each.pending) for name, each in backlog.items()}
    yield _gauge("towpath_consumer_pending", "Messages a consumer was not given yet.", ["consumer"], pending.items())
    unacknowledged = {(name,): float(each.unacknowledged) for name, each in backlog.items()}
    about = "Messages a consumer was given and has not acknowledged."
    yield _gauge("towpath_consumer_unacknowledged", about, ["consumer"], unacknowledged.items())


def _gauge(name: str, about: str, labels: list[str], values: Iterable[tuple[Sequence[str], float]]) -> Metric:
    gauge = GaugeMetricFamily(name, about, labels=labels)
    for key, value in values:
        gauge.add_metric(key, value)
    return gauge
