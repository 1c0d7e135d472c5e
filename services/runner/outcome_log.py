"""What is said of the end of an attempt: one line each."""

from typing import Any, assert_never

import structlog
from structlog.stdlib import BoundLogger

from shared.domain.run import Cancelled, Claim, Done, Failed, Outcome, Postponed, Refused, RetryAfter

log: BoundLogger = structlog.get_logger()


def log_outcome(claim: Claim, run: dict[str, Any], outcome: Outcome | None) -> None:
    """Log how the attempt ended, or that its run is somebody else's by now."""
    of: dict[str, Any] = {
        "run_id": claim.run_id,
        "attempt": claim.attempt,
        "agent": run["agent_key"],
        "organisation": run["organisation"],
    }
    if outcome is None:
        log.warning("run.lost", **of)
        return
    match outcome:
        case Done():
            log.info("run.completed", **of, effects=len(outcome.effects))
        case RetryAfter(delay_seconds=delay, error=error):
            log.warning("run.retried", **of, in_seconds=round(delay, 1), code=error.code, detail=error.detail)
        case Postponed(delay_seconds=delay, waiting_for=what, detail=detail):
            log.warning("run.postponed", **of, waiting_for=what, in_seconds=round(delay, 1), detail=detail)
        case Failed(error=error):
            log.error("run.failed", **of, code=error.code, detail=error.detail)
        case Refused(error=error) | Cancelled(error=error):
            log.info("run.cancelled", **of, code=error.code, detail=error.detail)
        case _:
            assert_never(outcome)
