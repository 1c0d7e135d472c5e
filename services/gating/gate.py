"""The gate at work: decides a batch of events, records it, and starts what may run."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog

from contracts.envelope import Event
from contracts.lanes import Lane
from contracts.subjects import event_subject, gated_subject
from services.gating.arrival import Arrival
from services.gating.decide import DecisionRecord, decide, record
from services.gating.members import membership_changes
from shared.clock import Clock
from shared.domain.configuration import Configuration
from shared.domain.decision import Target
from shared.domain.run_event import run_event
from shared.errors import Retryable
from shared.messaging.publisher import Publisher
from shared.store.events import Acceptance, EventStore, GatedEvent
from shared.store.members import MemberStore
from shared.store.runs import NewRun, RunStore, run_document

log = structlog.get_logger()


class DeadLetterNotKept(Retryable):
    """The stream of dead letters did not confirm one, so the message must not be settled yet."""

    code = "dead_letter_not_kept"


Arrivals = Mapping[str, Arrival]
Records = dict[str, list[DecisionRecord]]


@dataclass(frozen=True, slots=True)
class Gate:
    """Considers events in batches; considering one again changes nothing and answers the same.

    The decisions that were recorded first stand, and a runner refuses a run that they do not name. So a crash at any
    point leaves either nothing, or work that the next delivery or the sweep takes up.
    """

    configuration: Configuration
    events: EventStore
    runs: RunStore
    members: MemberStore
    publisher: Publisher
    clock: Clock

    async def consider(self, batch: Sequence[Arrival]) -> None:
        """Record a decision for every matching Agent of every event, and dispatch the runs."""
        now = self.clock()
        arrivals = await self._accepted(batch, now)
        recorded = await self._recorded_before(arrivals)
        fresh = {
            key: [record(key, decision) for decision in decide(arrival.event, self.configuration)]
            for key, arrival in arrivals.items()
            if key not in recorded
        }
        runs = [run for key, records in (recorded | fresh).items() for run in _runs(arrivals[key].event, records, now)]
        existing, stands, _ = await asyncio.gather(
            self.runs.add(runs),
            self._record(fresh, arrivals, now),
            self.members.apply(membership_changes((arrival.event for arrival in arrivals.values()), now)),
        )
        await self._start([run for run in runs if run.id not in existing])
        await self._answer(batch, recorded | fresh | stands)

    async def _accepted(self, batch: Sequence[Arrival], now: datetime) -> Arrivals:
        """Store the events that came straight from a backend, and bury those whose id is taken by another."""
        direct = [arrival for arrival in batch if not arrival.is_accepted]
        stored = await self.events.accept([arrival.accepted_event(now) for arrival in direct])
        arrivals = {arrival.event.key: arrival for arrival in batch if arrival.is_accepted}
        for arrival, acceptance in zip(direct, stored, strict=True):
            if acceptance is Acceptance.DIFFERENT:
                await self._bury(arrival)
            else:
                arrivals[arrival.event.key] = arrival
        return arrivals

    async def _bury(self, arrival: Arrival) -> None:
        key = arrival.event.key
        reason = f"event_id_reused: '{arrival.event.id}' of '{arrival.event.source}' was accepted with other content."
        subject = event_subject(arrival.event.type, arrival.event.organisationid)
        if not await self.publisher.dead_letter("event", key, arrival.json, reason, subject):
            raise DeadLetterNotKept(f"The dead letter of event {key} is not kept; its batch is considered again.")
        log.error("dead_letter.kept", kind="event", key=key, reason=reason)

    async def _recorded_before(self, arrivals: Arrivals) -> Records:
        """Return the decisions of events that may have been gated already: all but first deliveries of new ones."""
        repeated = [key for key, arrival in arrivals.items() if not (arrival.is_accepted and arrival.is_first_delivery)]
        return await self.events.decisions(repeated) if repeated else {}

    async def _record(self, fresh: Records, arrivals: Arrivals, now: datetime) -> Records:
        """Record the decisions; return those that another process had recorded first."""
        if not fresh:
            return {}
        gated = [GatedEvent(key, records) for key, records in fresh.items()]
        if await self.events.record_decisions(gated, now):
            return {}
        return await self._record_unknown(gated, arrivals, now)

    async def _record_unknown(self, gated: list[GatedEvent], arrivals: Arrivals, now: datetime) -> Records:
        """Store and record the events that say they are accepted and are not."""
        known = await self.events.known([event.key for event in gated])
        unknown = [event for event in gated if event.key not in known]
        if unknown:
            await self.events.accept([arrivals[event.key].accepted_event(now) for event in unknown])
            await self.events.record_decisions(unknown, now)
        return await self.events.decisions(event.key for event in gated)

    async def _start(self, runs: Sequence[NewRun]) -> None:
        await self.publisher.dispatch((run.lane, run.id) for run in runs)
        await self.publisher.run_events([run_event(run_document(run)) for run in runs])

    async def _answer(self, batch: Sequence[Arrival], decisions: Records) -> None:
        """Tell each gateway process that waits for some of these events what was decided."""
        answers: dict[str, Records] = defaultdict(dict)
        for arrival in batch:
            key = arrival.event.key
            if arrival.reply_to is not None and key in decisions:
                answers[arrival.reply_to][key] = decisions[key]
        for instance, records in answers.items():
            await self.publisher.tell(gated_subject(instance), orjson.dumps(records))


def _runs(event: Event, records: Iterable[Mapping[str, Any]], now: datetime) -> list[NewRun]:
    return [
        NewRun(
            id=decision["run_id"],
            event_key=event.key,
            event_id=event.id,
            event_type=event.type,
            organisation=event.organisationid,
            project=event.projectid,
            user=event.userid,
            agent_key=decision["agent_key"],
            agent_version=decision["agent_version"],
            target=Target(decision["target"]["type"], decision["target"]["id"]),
            lane=Lane(decision["lane"]),
            queued_at=now,
        )
        for decision in records
        if decision["outcome"] == "run"
    ]
