"""/api/jobs: long work outside whose end continues a session."""

from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response

from contracts.jobs import JobStatus
from services.gateway import cursor as cursors
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.auth import Caller
from services.gateway.job_views import JobDetail, JobList, job_detail, job_view
from services.gateway.jobs import JobFinish, JobStart, ended_already, finish_job, start_job, stored_job
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.job import RUNNING, job_key
from shared.errors import NotFound

router = APIRouter(tags=["jobs"])

Document = dict[str, Any]
_Statuses = Annotated[
    list[str] | None,
    Query(description=f"Only these, of `{RUNNING}`, {', '.join(f'`{each}`' for each in JobStatus)}; may be repeated."),
]


@router.post("/api/jobs", status_code=201, response_model=JobDetail, responses=problems(404, 409))
async def post_job(request: Request, wanted: JobStart) -> Response:
    """Start a job: from now on it is watched, and its end, whatever it is, is answered in its session."""
    gateway, caller = gateway_of(request), await caller_of(request)
    job = await start_job(gateway, caller, wanted, wanted.job_id or f"job-{uuid4().hex}")
    return json_answer(await _shown(gateway, job), 201)


@router.get("/api/jobs", response_model=JobList)
async def list_jobs(
    request: Request,
    status: _Statuses = None,
    session_id: str | None = None,
    user: Annotated[str | None, Query(description="Another user, for backends and admins.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
    *,
    all_users: Annotated[bool, Query(description="The whole organisation, for backends and admins.")] = False,
) -> Response:
    """List jobs with what became of their ends, the latest change first."""
    gateway, caller = gateway_of(request), await caller_of(request)
    query: Document = {**caller.whose(user, all_users=all_users), **cursors.after(cursor, "changed_at")}
    if status is not None:
        query["status"] = {"$in": status}
    if session_id is not None:
        query["session_id"] = session_id
    page, next_cursor = cursors.page(await gateway.jobs.find(query, limit + 1), limit, "changed_at")
    runs = await gateway.runs.load({run_id for job in page if (run_id := _follower(job)) is not None})
    shown = [job_view(job, runs.get(_follower(job) or "")) for job in page]
    return json_answer({"jobs": shown, "next_cursor": next_cursor})


@router.get("/api/jobs/{job_id}", response_model=JobDetail)
async def get_job(request: Request, job_id: str) -> Response:
    """Return one job, by its id or its key, with what it printed and what became of its end."""
    gateway, caller = gateway_of(request), await caller_of(request)
    return json_answer(await _shown(gateway, await _visible(gateway, caller, job_id)))


@router.post("/api/jobs/{job_id}/heartbeat", response_model=JobDetail, responses=problems(409))
async def post_heartbeat(request: Request, job_id: str) -> Response:
    """Say that a job is still at work. A 409 tells that it counts as ended: nobody waits for it any more."""
    gateway, caller = gateway_of(request), await caller_of(request)
    job = await _visible(gateway, caller, job_id)
    living = await gateway.jobs.heartbeat(job["_id"], gateway.clock())
    if living is None:
        raise ended_already(await stored_job(gateway, job["_id"]))
    return json_answer(await _shown(gateway, living))


@router.post("/api/jobs/{job_id}/finish", response_model=JobDetail, responses=problems(409, 413))
async def post_finish(request: Request, job_id: str, wanted: JobFinish) -> Response:
    """Say how a job ended. One that counts as ended already keeps that, and this end beside it as `late_end`."""
    gateway, caller = gateway_of(request), await caller_of(request)
    job = await _visible(gateway, caller, job_id)
    return json_answer(await _shown(gateway, await finish_job(gateway, job, wanted)))


async def _visible(gateway: Gateway, caller: Caller, name: str) -> Document:
    job = await gateway.jobs.get(job_key(caller.organisation, name)) or await gateway.jobs.get(name)
    if job is None or not caller.sees(job):
        raise NotFound(f"There is no job '{name}', or it is not yours to see.")
    return job


async def _shown(gateway: Gateway, job: Document) -> Document:
    run_id = _follower(job)
    runs = {} if run_id is None else await gateway.runs.load([run_id])
    return job_detail(job, runs.get(run_id or ""))


def _follower(job: Document) -> str | None:
    run_id: str | None = (job.get("follow_up") or {}).get("run_id")
    return run_id
