"""Debounced runs: each event of a target is taken by the run that waits for more of them, or opens one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.envelope import Event
from services.gating.overlap import Decided
from services.gating.queueing import new_run
from shared.domain.configuration import Configuration
from shared.domain.debounce import Debounce, gathering_key
from shared.domain.decide import record
from shared.domain.decision import RunDecided
from shared.domain.run_event import run_event
from shared.domain.slot import QueueLimits
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.gathering import Joining, Order, Place
from shared.store.run_documents import NewRun, run_document
from shared.store.runs import RunStore

_ROUNDS = 8
"""Another process may open or start a run in between: each time it is looked again."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An event that a debounced run is to stand for."""

    event: Event
    decision: RunDecided
    debounce: Debounce
    order: Order

    @property
    def place(self) -> Place:
        return place_of(self.event, self.decision)


def place_of(event: Event, decision: RunDecided) -> Place:
    """Return under which key runs gather this event for this decision."""
    target = decision.target
    return event.key, gathering_key(event.organisationid, decision.agent_version_id, target.type, target.id)


def debounced(events: Iterable[Event], decided: Decided) -> list[tuple[Event, RunDecided, Debounce]]:
    """Return the decisions that start a debounced run; of several triggers for one target the first counts."""
    first: dict[Place, tuple[Event, RunDecided]] = {}
    for event in events:
        for decision in decided.get(event.key, ()):
            if isinstance(decision, RunDecided):
                first.setdefault(place_of(event, decision), (event, decision))
    return [(event, decision, decision.debounce) for event, decision in first.values() if decision.debounce is not None]


@dataclass(frozen=True, slots=True)
class Gathering:
    """Everything here may be repeated: a run that has taken an event is found by it, whatever became of the run."""

    runs: RunStore
    events: EventStore
    publisher: Publisher
    configuration: Configuration
    limits: QueueLimits

    async def wanted(self, events: Iterable[Event], decided: Decided, now: datetime) -> list[Wanted]:
        """Return the events that debounced runs are to stand for, in the order of their acceptance."""
        found = debounced(events, decided)
        orders = await self.events.orders({event.key for event, _, _ in found}) if found else {}
        wanted = [
            Wanted(event, decision, debounce, orders.get(event.key, (now, index)))
            for index, (event, decision, debounce) in enumerate(found)
        ]
        return sorted(wanted, key=lambda each: each.order)

    async def take(self, wanted: Sequence[Wanted], may_open: Collection[Place], now: datetime) -> dict[Place, str]:
        """Have each event taken by the run that waits, or if it may by a new one; return which run has which."""
        keys = {each.event.key for each in wanted}
        taken = await self.runs.gathered(keys) if keys else {}
        for _ in range(_ROUNDS):
            rest = [each for each in wanted if each.place not in taken]
            if not rest:
                break
            await self.runs.join([_joining(group, now) for group in _groups(rest)])
            taken = await self.runs.gathered(keys)
            opening = [each for each in rest if each.place not in taken and each.place in may_open]
            if not opening:
                break
            await self._open([self._opening(group, now) for group in _groups(opening)])
            taken = await self.runs.gathered(keys)
        return taken

    async def _open(self, runs: Sequence[NewRun]) -> None:
        opened = await self.runs.open(runs)
        await self.publisher.run_events([run_event(run_document(run)) for run in opened])

    def _opening(self, group: Sequence[Wanted], now: datetime) -> NewRun:
        """Return the run that the first of these events starts, at work on the last."""
        first, last = group[0], group[-1]
        decided = record(first.event.key, first.decision)
        run, _ = new_run(first.event, decided, self.configuration, self.limits, now)
        key = first.place[1]
        at_latest = now + timedelta(seconds=first.debounce.max_wait_seconds)
        gathering = {"key": key, "events": [each.event.key for each in group], "latest": list(last.order)}
        waiting = {**(run.waiting_for or {}), "gathers": key, "at_latest": at_latest}
        return _working_on(replace(run, waiting_for=waiting, gathering=gathering), last.event)


def _groups(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    """Yield together what one run may take."""
    groups: dict[str, list[Wanted]] = defaultdict(list)
    for each in wanted:
        groups[each.place[1]].append(each)
    yield from groups.values()


def _joining(group: Sequence[Wanted], now: datetime) -> Joining:
    last = group[-1]
    return Joining(
        key=last.place[1],
        events=tuple(each.event.key for each in group),
        of_last={
            "event_key": last.event.key,
            "event_id": last.event.id,
            "event_type": last.event.type,
            "project": last.event.projectid,
            "user": last.event.userid,
        },
        order_of_last=last.order,
        now=now,
        until=now + timedelta(seconds=last.debounce.seconds),
    )


def _working_on(run: NewRun, event: Event) -> NewRun:
    """Return the run as one for this event: also whose it is."""
    return replace(
        run,
        event_key=event.key,
        event_id=event.id,
        event_type=event.type,
        project=event.projectid,
        user=event.userid,
    )
