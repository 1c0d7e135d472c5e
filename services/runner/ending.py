"""How attempts end: the outcome as a fenced write, many of them in one, and what follows from it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_never

import orjson
import structlog

from contracts.lanes import Lane
from services.runner.following import Following
from shared.aftermath import Aftermath
from shared.clock import Clock
from shared.domain.run import Claim, Done, Failed, Outcome, Refused, RetryAfter, RunStatus, TooEarly, Usage, Waiting
from shared.errors import StorageUnavailable
from shared.messaging.publisher import Publisher
from shared.store.group_commit import GroupCommit
from shared.store.mongo import Document
from shared.store.runs import Commit, Return, RunStore, error_document, usage_document, usage_of

log = structlog.get_logger()

_RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one attempt, with the run as it was claimed."""

    run: Document
    write: Commit | Return


class Endings:
    """Writes ends in groups. An end is written once, however often this is tried, or not at all when the claim is lost."""

    def __init__(self, runs: RunStore, aftermath: Aftermath, publisher: Publisher, clock: Clock) -> None:
        self._runs = runs
        self._publisher = publisher
        self._clock = clock
        self._written: GroupCommit[Ending, bool] = GroupCommit(self._write, most=256)
        self._following = Following(aftermath)

    async def end(self, run: Document, claim: Claim, outcome: Outcome, used: Usage) -> bool:
        """Write how the attempt ended; returns False when the run is somebody else's by now.

        While MongoDB is away it keeps trying, because the work is done and paid for.
        """
        ending = Ending(run, self._ending(run, claim, outcome, used))
        while True:
            try:
                return await self._written.submit(ending)
            except StorageUnavailable as error:
                log.warning("run.commit_delayed", run_id=claim.run_id, error=error.message)
                await asyncio.sleep(_RETRY_SECONDS)

    async def hand_back(self, run: Document, claim: Claim, used: Usage) -> bool:
        """Return a run to the queue at once, its attempt unfinished and not counted as a failure."""
        write = Return(claim, self._clock(), used.at_least(usage_of(run)))
        is_written = await self._written.submit(Ending(run, write))
        if is_written:
            await self._publisher.dispatch([(Lane(run["lane"]), claim.run_id)])
        return is_written

    async def settled(self) -> None:
        """Wait until everything that follows from the ends so far is done."""
        await self._following.settled()

    def _ending(self, run: Document, claim: Claim, outcome: Outcome, used: Usage) -> Commit | Return:
        now, usage = self._clock(), used.at_least(usage_of(run))
        match outcome:
            case Done():
                output = orjson.dumps(outcome.output).decode()
                return Commit(claim, RunStatus.COMPLETED, now, usage, output_json=output, effects=outcome.effects)
            case Failed(error=error):
                return Commit(claim, RunStatus.FAILED, now, usage, error=error)
            case Refused(error=error):
                return Commit(claim, RunStatus.CANCELLED, now, usage, error=error)
            case RetryAfter(delay_seconds=delay, error=error):
                due = now + timedelta(seconds=delay)
                return Return(claim, now, usage, error=error, waiting_for=Waiting.RETRY, due_at=due)
            case TooEarly(delay_seconds=delay):
                due = now + timedelta(seconds=delay)
                return Return(claim, now, usage, waiting_for=Waiting.DECISION, due_at=due)
            case _:
                assert_never(outcome)

    async def _write(self, endings: list[Ending]) -> Sequence[bool]:
        written = await self._runs.write_fenced([ending.write for ending in endings])
        finished = [
            committed(ending.run, ending.write)
            for ending, is_written in zip(endings, written, strict=True)
            if is_written and isinstance(ending.write, Commit)
        ]
        if finished:
            self._following.begin(finished)
        return written


def committed(run: Document, commit: Commit) -> Document:
    """Return the run as the commit leaves it."""
    changes: dict[str, Any] = {
        "status": commit.status,
        "finished_at": commit.finished_at,
        "changed_at": commit.finished_at,
        "usage": usage_document(commit.usage),
        "effects": list(commit.effects),
        "error": error_document(commit.error),
    }
    return {**run, **changes}
