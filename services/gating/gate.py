"""The gate at work: decides a batch of events, records it, and starts what may run."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
import structlog

from contracts.lanes import Queue
from contracts.subjects import event_subject, gated_subject
from services.gating.arrival import Arrival
from services.gating.at_once import recorded_at_once
from services.gating.behaviour import Behaviour
from services.gating.continuing import Continuing, without_late
from services.gating.members import membership_changes
from services.gating.overlap import Decided, guarded_fires, without_overlap
from services.gating.queueing import new_run, verdict_fields
from services.gating.replacing import replace_runs
from services.gating.starting import Starts
from shared.admission import Admission
from shared.carried import carrying
from shared.clock import Clock
from shared.delayed import Delayed
from shared.domain.configuration import Configuration
from shared.domain.decide import DecisionRecord, decide, record
from shared.domain.run_event import run_event
from shared.messaging.delivery import DeadLetters, Undeliverable
from shared.messaging.publisher import Publisher
from shared.store.events import Acceptance, EventStore, GatedEvent
from shared.store.members import MemberStore
from shared.store.run_documents import NewRun, run_document
from shared.store.runs import RunStore

log = structlog.get_logger()


_FEW_RUNS = 4

Arrivals = Mapping[str, Arrival]
Records = dict[str, list[DecisionRecord]]


@dataclass(frozen=True, slots=True)
class _Taken:
    """The events of a batch that are stored, by key, and which of them were stored just now.

    `decided` are the decisions on these, as if nothing else had been decided yet; `at_once` are those that were stored
    together with their events.
    """

    arrivals: Arrivals
    stored: set[str]
    decided: Decided
    at_once: Records


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
    behaviour: Behaviour
    continuing: Continuing
    admission: Admission
    starts: Starts
    publisher: Publisher
    dead_letters: DeadLetters
    clock: Clock
    decided: Delayed[str]

    async def consider(self, batch: Sequence[Arrival]) -> None:
        """Record a decision for every matching Agent of every event, and dispatch the runs."""
        now = self.clock()
        taken = await self._accepted(batch, now)
        arrivals, recorded = taken.arrivals, await self._recorded_before(taken) | taken.at_once
        fresh = {
            key: [record(key, decision) for decision in decisions]
            for key, decisions in (await self._decided(taken, recorded, now)).items()
        }
        runs = await self._queued(recorded | fresh, set(recorded), arrivals, now)
        # First, because what starts nothing is done with once its decisions are recorded.
        await self.members.apply(membership_changes((arrival.event for arrival in arrivals.values()), now))
        existing, stands = await self._store(runs, fresh, arrivals, now)
        decisions = recorded | fresh | stands
        await replace_runs(self.runs, self.publisher, decisions, arrivals, now)
        await self.continuing.note_followers((arrival.event for arrival in arrivals.values()), decisions, now)
        done_with = _starting_nothing(taken.at_once) | (set(fresh) if _are_many(runs) else _starting_nothing(fresh))
        # Where another process was faster with its decisions, it may not have stored their runs yet.
        self.decided.add(arrivals.keys() - stands.keys() - done_with)
        await self._start([run for run in runs if run.id not in existing], decisions, arrivals)
        await self._answer(batch, decisions)

    async def _accepted(self, batch: Sequence[Arrival], now: datetime) -> _Taken:
        """Store the events that came straight from a backend, and bury those whose id is taken by another."""
        direct = [arrival for arrival in batch if not arrival.is_accepted]
        # Of several under one id the first is stored.
        events = {arrival.event.key: arrival.event for arrival in reversed(direct)}
        decided: Decided = {key: decide(event, self.configuration, now) for key, event in events.items()}
        at_once = recorded_at_once(events.values(), decided, self.configuration)
        acceptances = await self.events.accept(
            [arrival.accepted_event(now, position) for position, arrival in enumerate(direct)], at_once
        )
        arrivals = {arrival.event.key: arrival for arrival in batch if arrival.is_accepted}
        stored = set()
        for arrival, acceptance in zip(direct, acceptances, strict=True):
            if acceptance is Acceptance.DIFFERENT:
                await self._bury(arrival)
                continue
            arrivals[arrival.event.key] = arrival
            if acceptance is Acceptance.STORED:
                stored.add(arrival.event.key)
        return _Taken(
            arrivals,
            stored,
            {key: decided[key] for key in stored},
            {key: at_once[key] for key in at_once.keys() & stored},
        )

    async def _bury(self, arrival: Arrival) -> None:
        event = arrival.event
        reason = f"The id '{event.id}' of source '{event.source}' was accepted with other content."
        subject = event_subject(event.type, event.organisationid)
        await self.dead_letters.keep(Undeliverable(subject, arrival.json, "event_id_reused", reason))

    async def _recorded_before(self, taken: _Taken) -> Records:
        """Return the decisions of events that may have been gated already: all but first deliveries of new ones."""
        repeated = [
            key
            for key, arrival in taken.arrivals.items()
            if key not in taken.stored and not (arrival.is_accepted and arrival.is_first_delivery)
        ]
        return await self.events.decisions(repeated) if repeated else {}

    async def _decided(self, taken: _Taken, recorded: Records, now: datetime) -> Decided:
        """Return the decisions of the events that have none; what is open is asked only where it matters."""
        new = {key: arrival.event for key, arrival in taken.arrivals.items() if key not in recorded}
        decided: Decided = {
            key: taken.decided[key] if key in taken.decided else decide(event, self.configuration, now)
            for key, event in new.items()
        }
        decided |= without_late(decided, await self.continuing.note(new.values(), now))
        decided = await self.behaviour.considered(list(new.values()), decided, self.configuration, now)
        fires = guarded_fires(new.values(), decided, self.configuration)
        if fires:
            decided |= without_overlap(fires, await self.runs.open_of({each.work for each in fires}))
        return await self.starts.settle(new, decided, now)

    async def _store(
        self, runs: Sequence[NewRun], fresh: Records, arrivals: Arrivals, now: datetime
    ) -> tuple[set[str], Records]:
        """Store both; return the ids of runs that were there already, and decisions that another process recorded first.

        A few runs are stored at the same time, because somebody may wait for them. Many are stored before: that takes longer,
        and spares each event another write.
        """
        if _are_many(runs):
            return await self.runs.add(runs), await self._record(fresh, arrivals, now, are_runs_stored=True)
        return await asyncio.gather(self.runs.add(runs), self._record(fresh, arrivals, now))

    async def _record(
        self, fresh: Records, arrivals: Arrivals, now: datetime, *, are_runs_stored: bool = False
    ) -> Records:
        """Record the decisions; return those that another process had recorded first."""
        if not fresh:
            return {}
        gated = [GatedEvent(key, records) for key, records in fresh.items()]
        if await self.events.record_decisions(gated, now, are_runs_stored=are_runs_stored):
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

    async def _queued(self, decided: Records, repeated: set[str], arrivals: Arrivals, now: datetime) -> list[NewRun]:
        """Return the runs that were decided, each with a place in the slots it needs or with what it waits for."""
        starting = [
            new_run(arrivals[key].event, decision, self.configuration, self.admission.limits, now)
            for key, records in decided.items()
            for decision in records
            if decision["outcome"] == "run" and not decision.get("is_retired")
        ]
        # Two triggers of an Agent may start the same run; the first counts.
        queued = list({run.id: (run, candidate) for run, candidate in reversed(starting)}.values())
        # A run that exists has its places, or has given them back.
        existing = await self.runs.known([run.id for run, _ in queued if run.event_key in repeated]) if repeated else ()
        candidates = [each for run, each in queued if each is not None and run.id not in existing]
        verdicts = await self.admission.admit(candidates)
        return [
            replace(run, **verdict_fields(verdicts[run.id], now)) if run.id in verdicts else run for run, _ in queued
        ]

    async def _start(self, runs: Sequence[NewRun], decisions: Records, arrivals: Arrivals) -> None:
        documents = {run.id: run_document(run) for run in runs}
        admitted = [run for run in runs if run.waiting_for is None]
        carried = {
            run.id: carrying(documents[run.id], arrivals[run.event_key].json, _started_by(decisions[run.event_key]))
            for run in admitted
            if run.event_key in decisions
        }
        # First, so that no runner tells of a start before that.
        await self.publisher.run_events([run_event(document) for document in documents.values()])
        await self.publisher.dispatch(
            ((Queue.of(run.lane, is_express=run.is_express), run.id) for run in admitted), carried
        )

    async def _answer(self, batch: Sequence[Arrival], decisions: Records) -> None:
        """Tell each gateway process that waits for some of these events what was decided."""
        answers: dict[str, Records] = defaultdict(dict)
        for arrival in batch:
            key = arrival.event.key
            if arrival.reply_to is not None and key in decisions:
                answers[arrival.reply_to][key] = decisions[key]
        for instance, records in answers.items():
            await self.publisher.tell(gated_subject(instance), orjson.dumps(records))


def _started_by(decisions: Iterable[DecisionRecord]) -> Iterator[str]:
    return (str(decision["run_id"]) for decision in decisions if decision["outcome"] == "run")


def _are_many(runs: Sequence[NewRun]) -> bool:
    return len(runs) > _FEW_RUNS


def _starting_nothing(recorded: Records) -> set[str]:
    return {key for key, records in recorded.items() if not any(each["outcome"] == "run" for each in records)}
