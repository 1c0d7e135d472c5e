"""/api/agents/{key}/batch and /api/agent-runs/{run_id}/resume: one run of an Agent for each of many users."""

import structlog
from fastapi import APIRouter, Request, Response

from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.batches import BatchRequest, check_may_run_for, resume, start_batch
from services.gateway.routes.agent_actions import ExecuteAnswer
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import RunView, run_view
from services.gateway.visible import visible_run

log = structlog.get_logger()
router = APIRouter(tags=["batches"])


class BatchAnswer(ExecuteAnswer):
    """The batch that was started, and for how many users it is."""

    users_total: int


@router.post("/api/agents/{key}/batch", status_code=202, response_model=BatchAnswer, responses=problems(409))
async def execute_batch(request: Request, key: str, wanted: BatchRequest) -> Response:
    """Start one run that has a run of the Agent for each of these users, so many at a time.

    Each is gated for its own user when it starts. Cancelling the batch cancels them.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    answer = await start_batch(gateway, caller, key, wanted)
    log.info(
        "batch.requested", agent=key, run_id=answer["agent_run"]["id"], users=answer["users_total"], by=caller.user
    )
    return json_answer(answer, 202)


@router.post("/api/agent-runs/{run_id}/resume", status_code=202, response_model=RunView, responses=problems(409))
async def resume_batch(request: Request, run_id: str) -> Response:
    """Have an ended batch start a run for each user whose last one failed, was cancelled or is missing.

    Asking again while it is under way changes nothing.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    run = await visible_run(gateway, caller, run_id)
    check_may_run_for(caller, (run.get("batch") or {}).get("users", [caller.user]))
    await resume(gateway, run)
    log.info("batch.resumed", run_id=run_id, by=caller.user)
    return json_answer(run_view(await visible_run(gateway, caller, run_id)), 202)
