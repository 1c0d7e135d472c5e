"""The services around the stores, as one process has them: a gate, a runner, a scheduler and an admin."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import cast

from contracts.lanes import Lane, Queue
from services.gating.queueing import verdict_fields
from services.runner.ending import CANCELLED, ending
from services.scheduler.paused import Paused
from services.scheduler.run_sweep import RunSweep
from services.scheduler.slot_sweep import SlotSweep
from services.scheduler.steadiness import Steadiness
from shared.admission import Admission, Candidate
from shared.aftermath import Aftermath
from shared.carried import carried_by, carrying
from shared.domain.configuration import Configuration
from shared.domain.dead_letter import DeadLetter
from shared.domain.run import Cancelled, Claim, Outcome, Usage
from shared.domain.run_event import RunEventMessage
from shared.domain.slot import QueueLimits, slots_of
from shared.follow_ups import FollowUps
from shared.messaging.publisher import Publisher
from shared.store.dead_letters import DeadLetterStore
from shared.store.proposals import ProposalStore
from shared.store.run_documents import Commit, NewRun, Return, committed, run_document
from shared.store.run_ends import Cancel, CancelResult
from tests.conformance.run_life.process import Process
from tests.conformance.run_life.stores import Stores
from tests.unit.shared.given import NOW, Document

LEASE_SECONDS = 30.0
LIMITS = QueueLimits(organisation=3, server=3)


class GivenClock:
    """Tells the time that it is given."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let this time pass."""
        self.now += timedelta(seconds=seconds)


@dataclass
class Outside:
    """What has been said to the world so far: which runs wait in the queues, what became a proposal or a letter.

    `carried` is what came along with the first dispatch of a run: it may come again long after that.
    """

    dispatched: dict[str, None] = field(default_factory=dict)
    carried: dict[str, bytes] = field(default_factory=dict)
    proposed: dict[str, set[str]] = field(default_factory=dict)
    letters: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Held:
    """A claim, with the run as it was claimed."""

    claim: Claim
    run: Document


@dataclass(frozen=True)
class End:
    """How somebody who has, or had, a claim ends the attempt; `mark` is found in the run when it was written."""

    held: Held
    outcome: Outcome | None
    mark: int

    def write(self, now: datetime) -> Commit | Return:
        """Return the fenced write; without an outcome the run is handed back."""
        used = Usage(input_tokens=self.mark)
        return Return(self.held.claim, now, used) if self.outcome is None else self._ended(self.outcome, now)

    def only_if_wanted(self, now: datetime) -> Commit | Return:
        """Return the write for a run that somebody wants to end."""
        return self._ended(Cancelled(CANCELLED, Usage(), only_if_wanted=True), now)

    def _ended(self, outcome: Outcome, now: datetime) -> Commit | Return:
        return ending(self.held.claim, outcome, now, Usage(input_tokens=self.mark))


class _NoSessions:
    """What continues sessions has suites of its own; none of these runs does."""

    async def project(self, finished: Sequence[Document]) -> None:
        """Do nothing."""


class Crew:
    """One process. What it does together with others is theirs to stand."""

    def __init__(self, stores: Stores, outside: Outside, clock: GivenClock) -> None:
        self.process = Process()
        self.clock = clock
        self.runs, self.slots = stores.runs(self.process), stores.slots(self.process)
        self._outside = outside
        self._said = _Said(outside, self.process)
        records = _Records(outside, self.process)
        self.admission = Admission(self.slots, self.runs, self._said, LIMITS, clock, chance=lambda: 1.0)
        proposals, letters = cast(ProposalStore, records), cast(DeadLetterStore, records)
        self._aftermath = Aftermath(
            self.runs, proposals, letters, cast(FollowUps, _NoSessions()), self.admission, self._said
        )
        paused = Paused(self.runs, self.admission, Configuration())
        self._run_sweep = RunSweep(self.runs, self.admission, paused, self._aftermath, self._said, _Steady(), clock)
        self._slot_sweep = SlotSweep(self.slots, self.runs, self.admission, paused)

    async def gate(self, wanted: Sequence[NewRun]) -> None:
        """Start runs; those that exist already are left alone."""
        now = self.clock()
        existing = await self.runs.known(run.id for run in wanted)
        fresh = {run.id: replace(run, queued_at=now) for run in wanted if run.id not in existing}
        candidates = [_candidate(run) for run in fresh.values() if run.waiting_for is None]
        verdicts = await self.admission.admit(candidates)
        slots = {candidate.run_id: candidate.slots for candidate in map(_candidate, fresh.values())}
        runs = [
            replace(
                run,
                slots=tuple(slot.key for slot in slots[run.id]),
                **(verdict_fields(verdicts[run.id], now) if run.id in verdicts else {}),
            )
            for run in fresh.values()
        ]
        there = await self.runs.add(runs)
        started = [run for run in runs if run.id not in there and run.waiting_for is None]
        carried = {run.id: carrying(run_document(run), b"{}", [run.id]) for run in started}
        await self._said.dispatch(((Queue.of(run.lane, is_express=run.is_express), run.id) for run in started), carried)

    async def take(self, ids: Sequence[str], owner: str) -> list[Held]:
        """Claim what is free of these runs."""
        carried = carried_by(self._outside.carried.get(each, b"") for each in ids)
        as_queued = [each.run for each in carried.values()]
        won = await self.runs.claim_untouched(as_queued, owner, LEASE_SECONDS, self.clock())
        known = {run["_id"] for run in won}
        won = [*won, *await self.runs.claim([each for each in ids if each not in known], owner, LEASE_SECONDS)]
        return [Held(Claim(run["_id"], run["attempt"], run["owner"]), run) for run in won]

    async def end(self, ends: Sequence[End]) -> None:
        """Write how attempts ended, and do what follows; a run that somebody wants to end is cancelled."""
        refused = await self._write([(end, end.write(self.clock())) for end in ends])
        again = [end for end in refused if not isinstance(end.outcome, Cancelled | None)]
        if again:
            await self._write([(end, end.only_if_wanted(self.clock())) for end in again])

    async def _write(self, ends: Sequence[tuple[End, Commit | Return]]) -> list[End]:
        written = await self.runs.write_fenced([write for _, write in ends])
        finished, waiting, handed_back = [], [], []
        for (end, write), _ in filter(lambda each: each[1], zip(ends, written, strict=True)):
            match write:
                case Commit():
                    finished.append(committed(end.held.run, write))
                case Return(waiting_for=None):
                    handed_back.append(end.held.run)
                case Return():
                    waiting.append(end.held.run)
        await asyncio.gather(self._follow(finished), self._aftermath.leave(waiting))
        await self._said.dispatch(
            (Queue.of(Lane(run["lane"]), is_express=run["express"]), run["_id"]) for run in handed_back
        )
        return [end for (end, _), is_written in zip(ends, written, strict=True) if not is_written]

    async def _follow(self, finished: Sequence[Document]) -> None:
        if finished:
            await self._aftermath.follow(finished)

    async def sweep(self) -> None:
        """Do a round of the scheduler's sweep, take-overs included."""
        await self._run_sweep.sweep()
        await self._slot_sweep.sweep(self.clock())

    async def compare(self) -> None:
        """Compare the slots with the runs once."""
        await self._slot_sweep.compare(self.clock())

    async def take_over_from(self, owner: str) -> None:
        """Take over from a runner that is gone."""
        await self._run_sweep.take_over_from(owner)

    async def cancel(self, query: Document) -> CancelResult:
        """Want runs to end."""
        return await self.runs.cancel(query, Cancel("ada", self.clock(), "No need."))

    async def redrive(self, ids: Sequence[str]) -> list[Document]:
        """Try failed runs again."""
        return await self.runs.redrive(ids, self.clock())


def _candidate(run: NewRun) -> Candidate:
    return Candidate(run.id, slots_of(run.organisation, run.agent_key, run.target, run.lane, run.own_limits, LIMITS))


class _Steady(Steadiness):
    """MongoDB has answered all the time, so that a lease that ran out is a runner that is lost."""

    @property
    def is_steady(self) -> bool:
        return True


class _Said(Publisher):
    """Keeps what is dispatched; a process that stops has not said everything."""

    def __init__(self, outside: Outside, process: Process) -> None:
        super().__init__()
        self._outside = outside
        self._process = process

    async def dispatch(
        self, runs: Iterable[tuple[Queue, str]], carried: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        async def said() -> None:
            self._outside.dispatched.update((run_id, None) for _, run_id in runs)
            self._outside.carried.update(carried)

        await self._process.write(said)

    async def run_events(self, messages: Sequence[RunEventMessage]) -> None:
        pass

    async def run_events_confirmed(self, messages: Sequence[RunEventMessage]) -> bool:
        async def said() -> bool:
            self._outside.told.update(message.id for message in messages)
            return True

        return await self._process.write(said)


class _Records:
    """Keeps the proposals and the letters, each once, as their stores do."""

    def __init__(self, outside: Outside, process: Process) -> None:
        self._outside = outside
        self._process = process

    async def project(self, proposals: Sequence[Document]) -> None:
        async def projected() -> None:
            for proposal in proposals:
                self._outside.proposed.setdefault(proposal["run_id"], set()).add(proposal["title"])

        await self._process.write(projected)

    async def keep(self, letters: Sequence[DeadLetter]) -> None:
        async def kept() -> None:
            self._outside.letters.update(letter.id for letter in letters)

        await self._process.write(kept)
