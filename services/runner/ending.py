"""How attempts end: the outcome as a fenced write, many of them in one, and what follows from it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

import orjson
import structlog

from contracts.lanes import Lane, Queue
from services.runner.following import Following
from shared.aftermath import Aftermath
from shared.clock import Clock
from shared.domain.run import (
    Cancelled,
    Claim,
    Done,
    Failed,
    Outcome,
    Postponed,
    Refused,
    RetryAfter,
    RunError,
    RunStatus,
    Usage,
    Waiting,
)
from shared.errors import StorageUnavailable
from shared.messaging.publisher import Publisher
from shared.store.bodies import BodyStore
from shared.store.group_commit import GroupCommit
from shared.store.mongo import Document, storable_bytes
from shared.store.run_documents import (
    Commit,
    Return,
    committed,
    usage_of,
    waiting_document,
)
from shared.store.runs import RunStore

log = structlog.get_logger()

_RETRY_SECONDS = 0.5
_LONGEST_OUTPUT = 32_768
"""Longer ones are kept beside the run, so that reading many runs stays cheap."""
_MOST_EFFECT_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one attempt, with the run as it was claimed."""

    run: Document
    write: Commit | Return


class Endings:
    """Writes ends in groups. An end is written once, however often this is tried, or not at all when the claim is lost."""

    def __init__(
        self, runs: RunStore, bodies: BodyStore, aftermath: Aftermath, publisher: Publisher, clock: Clock
    ) -> None:
        self._runs = runs
        self._bodies = bodies
        self._publisher = publisher
        self._clock = clock
        self._written: GroupCommit[Ending, bool] = GroupCommit(self._write, most=256)
        self._following = Following(aftermath)

    async def end(self, run: Document, claim: Claim, outcome: Outcome, used: Usage) -> Outcome | None:
        """Write how the attempt ended, and return that; None when the run is somebody else's by now.

        While MongoDB is away it keeps trying, because the work is done and paid for. When somebody wants the run to
        end, it is cancelled, whatever the outcome was.
        """
        if await self._insist(run, claim, outcome, used):
            return outcome
        if isinstance(outcome, Cancelled):
            return None
        cancelled = Cancelled(CANCELLED, Usage(), only_if_wanted=True)
        return cancelled if await self._insist(run, claim, cancelled, used) else None

    async def hand_back(self, run: Document, claim: Claim, used: Usage) -> bool:
        """Return a run to the queue at once, its attempt unfinished and not counted as a failure."""
        write = Return(claim, self._clock(), used.at_least(usage_of(run)))
        is_written = await self._written.submit(Ending(run, write))
        if is_written:
            queue = Queue.of(Lane(run["lane"]), is_express=True)
            await self._publisher.dispatch([(queue, claim.run_id)])
        return is_written

    async def settled(self) -> None:
        """Wait until everything that follows from the ends so far is done."""
        await self._following.settled()

    async def _insist(self, run: Document, claim: Claim, outcome: Outcome, used: Usage) -> bool:
        now, usage = self._clock(), used.at_least(usage_of(run))
        while True:
            try:
                write = await self._apart(ending(claim, outcome, now, usage))
                return await self._written.submit(Ending(run, write))
            except StorageUnavailable as error:
                log.warning("run.commit_delayed", run_id=claim.run_id, error=error.message)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _apart(self, write: Commit | Return) -> Commit | Return:
        """Keep a long output beside the run."""
        if not isinstance(write, Commit) or write.output_json is None or len(write.output_json) <= _LONGEST_OUTPUT:
            return write
        reference = await self._bodies.put(write.claim.run_id, "output", write.output_json)
        return replace(write, output_json=None, output_ref=reference)

    async def _write(self, endings: list[Ending]) -> Sequence[bool]:
        written = await self._runs.write_fenced([each.write for each in endings])
        finished, waiting = [], []
        for each, is_written in zip(endings, written, strict=True):
            match each.write:
                case Commit() if is_written:
                    finished.append(committed(each.run, each.write))
                case Return(waiting_for=what) if is_written and what is not None:
                    waiting.append(each.run)
        self._following.begin(finished, waiting)
        return written


CANCELLED = RunError("cancelled", "Somebody asked for the end of this run.")


def ending(claim: Claim, outcome: Outcome, now: datetime, usage: Usage) -> Commit | Return:
    """Return the fenced write that an outcome comes to."""
    match outcome:
        case Done():
            return _done(claim, outcome, now, usage)
        case Failed(error=error, partial=partial):
            output = None if partial is None else _text(partial)
            return Commit(claim, RunStatus.FAILED, now, usage, output_json=output, error=error)
        case Refused(error=error):
            return Commit(claim, RunStatus.CANCELLED, now, usage, error=error)
        case Cancelled(error=error, spent_after=spent, only_if_wanted=only_if_wanted):
            return Commit(
                claim,
                RunStatus.CANCELLED,
                now,
                usage,
                error=error,
                spent_after_cancel=spent,
                only_if_wanted=only_if_wanted,
            )
        case RetryAfter(delay_seconds=delay, error=error):
            waiting = waiting_document(Waiting.RETRY, now, until=now + timedelta(seconds=delay), detail=error.code)
            return Return(claim, now, usage, error=error, waiting_for=waiting)
        case Postponed(delay_seconds=delay, waiting_for=what, detail=detail, key=key):
            until = None if key is not None else now + timedelta(seconds=delay)
            return Return(
                claim, now, usage, waiting_for=waiting_document(what, now, until=until, key=key, detail=detail)
            )
        case _:
            assert_never(outcome)


def _done(claim: Claim, outcome: Done, now: datetime, usage: Usage) -> Commit:
    size = storable_bytes({"effects": list(outcome.effects)}) if outcome.effects else 0
    text = _text(outcome.output)
    if size is None or size > _MOST_EFFECT_BYTES or text is None:
        why = f"has effects of {size} bytes" if size and text else "holds a number or a text that cannot be stored"
        error = RunError("output_unstorable", f"What this run produced {why}; the most is {_MOST_EFFECT_BYTES} bytes.")
        return Commit(claim, RunStatus.FAILED, now, usage, output_json=text, error=error)
    return Commit(
        claim, RunStatus.COMPLETED, now, usage, output_json=text, effects=outcome.effects, tally=outcome.tally
    )


def _text(output: object) -> str | None:
    try:
        return orjson.dumps(output).decode()
    except TypeError:
        return None
