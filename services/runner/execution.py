"""One attempt from its claim to its end, whatever happens in between."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import orjson
import structlog
from structlog.stdlib import BoundLogger

from services.runner.ending import Endings
from services.runner.obstacle import obstacle
from services.runner.recorder import StepRecorder
from services.runner.work import Attempt, Handler
from shared.clock import Clock
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.retry import retry_delay_seconds
from shared.domain.run import Claim, Done, Failed, Outcome, Refused, RetryAfter, RunError, TooEarly, Usage
from shared.errors import AppError, Retryable
from shared.store.mongo import Document
from shared.store.steps import StepStore

log: BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that this process has claimed, with what its attempt starts from."""

    claim: Claim
    run: Document
    version: AgentVersion | None
    event: Document | None


@dataclass(frozen=True, slots=True)
class Execution:
    """Executes attempts. It raises only CancelledError: every other way to end is an outcome."""

    handlers: Mapping[str, Handler]
    configuration: Configuration
    steps: StepStore
    endings: Endings
    clock: Clock

    async def run(self, claimed: Claimed) -> None:
        """Do the attempt and write how it ended."""
        outcome = obstacle(claimed.run, claimed.event, claimed.version, self.handlers, self.configuration)
        used = Usage()
        if outcome is None and claimed.version is not None and claimed.event is not None:
            attempt = Attempt(
                claim=claimed.claim,
                run=claimed.run,
                spec=claimed.version.spec,
                event=orjson.loads(claimed.event["json"]),
                steps=StepRecorder(self.steps, claimed.claim, self.clock),
            )
            outcome = await self._outcome(attempt)
            used = attempt.usage
        if outcome is not None:
            is_written = await self.endings.end(claimed.run, claimed.claim, outcome, used)
            _log_outcome(claimed, outcome, is_written=is_written)

    async def _outcome(self, attempt: Attempt) -> Outcome:
        spec = attempt.spec
        limit = asyncio.timeout(spec.timeout_seconds)
        try:
            async with limit:
                return await self.handlers[spec.handler](attempt)
        except AppError as error:
            return _failure(attempt, error)
        except TimeoutError as error:
            if limit.expired():
                detail = f"The attempt did not end within {spec.timeout_seconds} s (timeout_seconds of the Agent)."
                return _again(attempt, RunError("attempt_timed_out", detail), None)
            return _bug(attempt, error)
        except Exception as error:  # noqa: BLE001 - the supervisor of every handler
            return _bug(attempt, error)


def _failure(attempt: Attempt, error: AppError) -> Outcome:
    paid = getattr(error, "usage", None)
    if paid is not None:
        attempt.usage = attempt.usage.plus(Usage(paid.input_tokens, paid.output_tokens, 1))
    failed = RunError(error.code, error.message)
    return _again(attempt, failed, error.retry_after_seconds) if isinstance(error, Retryable) else Failed(failed)


def _bug(attempt: Attempt, error: Exception) -> Outcome:
    log.error("attempt.crashed", run_id=attempt.claim.run_id, attempt=attempt.claim.attempt, exc_info=error)
    return _again(attempt, RunError("internal", f"The handler raised {type(error).__name__}."), None)


def _again(attempt: Attempt, error: RunError, asked_seconds: float | None) -> Outcome:
    failures = attempt.run["failures"] + 1
    if failures > attempt.spec.retry_attempts:
        return Failed(error)
    return RetryAfter(retry_delay_seconds(failures, asked_seconds, random.random()), error)  # noqa: S311 - only spreads


def _log_outcome(claimed: Claimed, outcome: Outcome, *, is_written: bool) -> None:
    run = claimed.run
    bound = log.bind(
        run_id=claimed.claim.run_id,
        attempt=claimed.claim.attempt,
        agent=run["agent_key"],
        organisation=run["organisation"],
    )
    if not is_written:
        bound.warning("run.lost")
        return
    match outcome:
        case Done():
            bound.info("run.completed", effects=len(outcome.effects))
        case RetryAfter(delay_seconds=delay, error=error):
            bound.warning("run.retried", in_seconds=round(delay, 1), code=error.code, detail=error.detail)
        case TooEarly(delay_seconds=delay, detail=detail):
            bound.warning("run.postponed", in_seconds=delay, detail=detail)
        case Failed(error=error):
            bound.error("run.failed", code=error.code, detail=error.detail)
        case Refused(error=error):
            bound.info("run.cancelled", code=error.code, detail=error.detail)
        case _:
            assert_never(outcome)
