"""Ending the runs that match, for whoever may."""

from typing import Any

import structlog

from services.gateway.auth import Caller
from services.gateway.state import Gateway
from shared.messaging.cancelling import tell_runners
from shared.store.run_ends import Cancel, CancelResult

log = structlog.get_logger()


async def cancel_runs(gateway: Gateway, caller: Caller, query: dict[str, Any], reason: str | None) -> CancelResult:
    """End the queued runs that match, and have the running ones end; the query says whose they are."""
    result = await gateway.runs.cancel(query, Cancel(caller.user, gateway.clock(), reason))
    await tell_runners(gateway.publisher, result.cancelling)
    log.info(
        "runs.cancelled",
        organisation=caller.organisation,
        by=caller.user,
        cancelled=result.cancelled,
        cancelling=len(result.cancelling),
    )
    return result
