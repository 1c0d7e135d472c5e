"""One attempt from its claim to its end, whatever happens in between."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson
import structlog
from structlog.stdlib import BoundLogger

from contracts.operation import LoggingLevel
from services.runner.ending import CANCELLED, Endings
from services.runner.obstacle import obstacle
from services.runner.originals import Original
from services.runner.outcome_log import log_outcome
from services.runner.recorder import StepRecorder
from services.runner.work import Attempt, Handler
from shared.clock import Clock
from shared.domain.batch import event_for
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.deadline import run_deadline
from shared.domain.effective import obeying
from shared.domain.replaying import without_effects
from shared.domain.retry import retry_delay_seconds
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
    Usage,
    Waiting,
)
from shared.errors import AppError, LimitReached, NotNow, Occupied, Retryable, Unneeded
from shared.least_level import logged_from
from shared.store.mongo import Document
from shared.store.run_documents import usage_of
from shared.store.steps import StepStore

log: BoundLogger = structlog.get_logger()


_CUT_OFF = frozenset({"attempt_timed_out", "run_timed_out"})


@dataclass(slots=True)
class Claimed:
    """A run that this process has claimed, with what its attempt starts from, and the attempt once it has begun."""

    claim: Claim
    run: Document
    version: AgentVersion | None
    event: Document | None
    attempt: Attempt | None = None
    is_ending: bool = False
    is_cancelled: bool = False
    used_before_cancel: Usage = field(default_factory=Usage)
    left_behind: Usage = field(default_factory=Usage)
    """What all attempts have used, with what was open at the provider, once that has been ended."""

    @property
    def logged(self) -> AbstractContextManager[None]:
        """What is said of the run inside is written as its Agent version wants it."""
        return logged_from(self.version.spec.logging_level if self.version else LoggingLevel.DEBUG)

    @property
    def used(self) -> Usage:
        return self.left_behind if self.attempt is None else self.attempt.usage.at_least(self.left_behind)

    def cancel(self) -> bool:
        """Note that somebody wants the run to end; return whether there is an attempt to be stopped for it."""
        if self.is_cancelled or self.is_ending:
            return False
        self.is_cancelled, self.used_before_cancel = True, self.used
        if self.attempt is not None:
            self.attempt.is_cancelled = True
        return True


@dataclass(frozen=True, slots=True)
class Execution:
    """Executes attempts. It raises only CancelledError: every other way to end is an outcome."""

    handlers: Mapping[str, Handler]
    configuration: Configuration
    steps: StepStore
    endings: Endings
    abandon: Callable[[str], Awaitable[Usage]]
    clock: Clock

    async def run(self, claimed: Claimed) -> None:
        """Do the attempt and write how it ended."""
        with claimed.logged:
            await self._run(claimed)

    async def _run(self, claimed: Claimed) -> None:
        try:
            outcome = await self._attempt(claimed)
        except asyncio.CancelledError:
            if not claimed.is_cancelled:
                raise
            _go_on_after_cancel()
            outcome = Cancelled(CANCELLED, claimed.used.beyond(claimed.used_before_cancel))
        if isinstance(outcome, Failed) and outcome.error.code in _CUT_OFF:
            # No attempt comes that would find it again.
            claimed.left_behind = await self.abandon(claimed.claim.run_id)
        # From here on the fence sees to a cancel: whatever the outcome was, the run ends as cancelled.
        claimed.is_ending = True
        written = await self.endings.end(claimed.run, claimed.claim, outcome, claimed.used)
        log_outcome(claimed.claim, claimed.run, written)

    async def _attempt(self, claimed: Claimed) -> Outcome:
        if claimed.run.get("cancel") is not None:
            # Its runner was lost before it could see to the end.
            claimed.left_behind = await self.abandon(claimed.claim.run_id)
            return Cancelled(CANCELLED, claimed.left_behind.beyond(usage_of(claimed.run)))
        run, event, version = claimed.run, claimed.event, claimed.version
        hindered = obstacle(run, event, version, self.handlers, self.configuration, self.clock())
        if hindered is not None:
            return hindered
        if event is None or version is None:
            raise AssertionError("a run without its event or its version has an obstacle")
        effective = self.configuration.effective(version.spec, run["organisation"], run["project"], run["user"])
        claimed.attempt = Attempt(
            claim=claimed.claim,
            run=run,
            spec=obeying(version.spec, effective),
            limits=effective.limits,
            call_mode=effective.call_mode,
            event=event_for(run, orjson.loads(event["json"])),
            steps=self._recorder(claimed.claim, run),
        )
        outcome = await self._outcome(claimed.attempt)
        if isinstance(outcome, Done) and run.get("replay") is not None:
            return replace(outcome, effects=without_effects(outcome.effects))
        return outcome

    def _recorder(self, claim: Claim, run: Document) -> StepRecorder:
        replay = run.get("replay")
        original = None if replay is None else Original(self.steps, replay["of"]).instead_of
        return StepRecorder(self.steps, claim, self.clock, instead_of=original)

    async def _outcome(self, attempt: Attempt) -> Outcome:
        spec = attempt.spec
        left = _seconds_left(attempt.run, self.clock())
        limit = asyncio.timeout(min(left, spec.timeout_seconds))
        try:
            async with limit:
                return await self.handlers[spec.handler](attempt)
        except AppError as error:
            return _failure(attempt, error)
        except TimeoutError as error:
            if not limit.expired():
                return _bug(attempt, error)
            if left <= spec.timeout_seconds:
                detail = f"The run did not end within {spec.run_timeout_seconds} s of its first start."
                return Failed(RunError("run_timed_out", detail), attempt.produced or None)
            of = attempt.owner_of("timeout_seconds")
            detail = f"The attempt did not end within {spec.timeout_seconds} s (timeout_seconds of {of})."
            return _again(attempt, RunError("attempt_timed_out", detail), None)
        except Exception as error:  # noqa: BLE001 - the supervisor of every handler
            return _bug(attempt, error)


def _go_on_after_cancel() -> None:
    """Let this task write how the run ended, although it was cancelled."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


def _seconds_left(run: Document, now: datetime) -> float:
    deadline = run_deadline(run)
    return math.inf if deadline is None else max(0.0, (deadline - now).total_seconds())


def _failure(attempt: Attempt, error: AppError) -> Outcome:
    paid = getattr(error, "usage", None)
    if paid is not None:
        attempt.usage = attempt.usage.plus(Usage(paid.input_tokens, paid.output_tokens, 1))
    failed = RunError(error.code, error.message)
    match error:
        case NotNow():
            delay = retry_delay_seconds(attempt.claim.attempt, error.retry_after_seconds, random.random())  # noqa: S311 - only spreads
            return Postponed(delay, Waiting.PROVIDER, error.message)
        case Occupied(key=key):
            return Postponed(0, Waiting.SESSION, error.message, key)
        case Unneeded():
            return Refused(failed)
        case Retryable():
            return _again(attempt, failed, error.retry_after_seconds)
        case LimitReached(partial=partial):
            return Failed(failed, partial)
        case _:
            return Failed(failed, attempt.produced or None)


def _bug(attempt: Attempt, error: Exception) -> Outcome:
    log.error("attempt.crashed", run_id=attempt.claim.run_id, attempt=attempt.claim.attempt, exc_info=error)
    return _again(attempt, RunError("internal", f"The handler raised {type(error).__name__}."), None)


def _again(attempt: Attempt, error: RunError, asked_seconds: float | None) -> Outcome:
    failures = attempt.run["failures"] + 1
    if failures > attempt.spec.retry_attempts:
        return Failed(error)
    first = attempt.spec.retry_delay_seconds
    return RetryAfter(retry_delay_seconds(failures, asked_seconds, random.random(), first), error)  # noqa: S311 - only spreads
