"""Jobs by request: each becomes the event that a backend might have published, and is written down at once."""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.agents import AgentKey
from contracts.envelope import Identifier
from contracts.fields import Answer, Text, Word
from contracts.ids import derived_id
from contracts.jobs import (
    HeartbeatSeconds,
    JobFinished,
    JobFinishedData,
    JobStarted,
    JobStartedData,
    JobStatus,
)
from services.gateway.auth import Caller
from services.gateway.fields import ZonedMoment
from services.gateway.intake import Readable, Reading
from services.gateway.problems import BodyTooLarge
from services.gateway.state import Gateway
from shared.conversation import finish_of, job_of, whose
from shared.domain.event import accepted_event
from shared.domain.job import RUNNING, job_key
from shared.domain.words import utc_text
from shared.errors import Conflict, NotFound

SOURCE = "/towpath/jobs"
_LONGEST_SECONDS = 30 * 86_400

Document = dict[str, Any]


class JobExists(Conflict):
    """The id is that of another job."""

    code = "job_exists"


class JobEnded(Conflict):
    """The job has ended already; the facts say how."""

    code = "job_ended"


class JobStart(BaseModel):
    """A job that a session starts. Without `job_id` it is given one; the same id again is the same job.

    Without an end by its deadline it counts as timed out, after `heartbeat_seconds` without a heartbeat as died.
    """

    model_config = ConfigDict(extra="forbid")

    session_id: Identifier
    kind: Word
    command: Answer = ""
    job_id: Identifier | None = None
    deadline_at: ZonedMoment | None = None
    timeout_seconds: Annotated[int | None, Field(ge=1, le=_LONGEST_SECONDS, description="Instead of a deadline.")] = (
        None
    )
    heartbeat_seconds: HeartbeatSeconds | None = None
    agent_key: Annotated[AgentKey | None, Field(description="Who continues instead of `job_follow_up`.")] = None
    project: Identifier | None = None
    user: Annotated[Identifier | None, Field(description="Another user, for backends and admins.")] = None

    @model_validator(mode="after")
    def _ends_at_one_time(self) -> Self:
        if self.deadline_at is not None and self.timeout_seconds is not None:
            raise ValueError("deadline_at and timeout_seconds: set one of them")
        return self


class JobFinish(BaseModel):
    """How a job ended; without a status, `exit_code` 0 is completed and any other failed."""

    model_config = ConfigDict(extra="forbid")

    status: JobStatus | None = None
    exit_code: Annotated[int | None, Field(strict=True, ge=-(2**31), le=2**31 - 1)] = None
    output: Text = ""

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if self.status is None and self.exit_code is None:
            raise ValueError("status: say how the job ended, or give its exit_code")
        return self

    @property
    def ended(self) -> JobStatus:
        return self.status or (JobStatus.FAILED if self.exit_code else JobStatus.COMPLETED)


async def start_job(gateway: Gateway, caller: Caller, wanted: JobStart, job_id: str) -> Document:
    """Start a job, or return it when it was started; raises JobExists, or NotFound for a session that is not there."""
    event = _started(gateway, caller, wanted, job_id)
    key = job_key(event.organisationid, job_id)
    job = await gateway.jobs.get(key)
    if job is None:
        await _check_session(gateway, event)
        job = await _announced(gateway, event, key)
    if (job["user"], job["session_id"], job["kind"], job["command"]) != (
        event.userid,
        wanted.session_id,
        wanted.kind,
        wanted.command,
    ):
        raise JobExists(f"job_id: '{job_id}' is another job of your organisation; choose a new one.")
    return job


async def finish_job(gateway: Gateway, job: Document, wanted: JobFinish) -> Document:
    """End a job, and return it; telling the same end again is the same answer, another one raises JobEnded."""
    event = _finished(job, wanted)
    if await _publish(gateway, event):
        now = gateway.clock()
        await gateway.jobs.finish(job_of(event, now), finish_of(event, now), now)
        return await stored_job(gateway, job["_id"])
    raise ended_already(await stored_job(gateway, job["_id"]))


def ended_already(job: Document) -> JobEnded:
    """Return the error for whoever takes a job for running; one that was found to have ended may say so a moment later."""
    how = job["status"] if job["status"] != RUNNING else job["found_ended"]["status"]
    at = job.get("finished_at") or job["found_ended"]["at"]
    return JobEnded(f"Job '{job['job_id']}' has ended: {how}, at {utc_text(at)}. Stop what still runs.", job_status=how)


async def stored_job(gateway: Gateway, key: str) -> Document:
    """Return a job that was there a moment ago."""
    job = await gateway.jobs.get(key)
    if job is None:
        raise NotFound(f"Job '{key}' was deleted meanwhile.")
    return job


async def _check_session(gateway: Gateway, event: JobStarted) -> None:
    session = whose(event)
    stored = (await gateway.sessions.load([session.key])).get(session.key)
    if stored is not None and (stored["deleted_at"] is not None or stored["user"] != session.user):
        raise NotFound(f"session_id: user '{session.user}' has no session '{session.session_id}', or it was deleted.")


async def _announced(gateway: Gateway, event: JobStarted, key: str) -> Document:
    now = gateway.clock()
    await gateway.sessions.keep([whose(event)], now)
    await gateway.jobs.start([job_of(event, now)], now)
    await _publish(gateway, event)
    return await stored_job(gateway, key)


async def _publish(gateway: Gateway, event: JobStarted | JobFinished) -> bool:
    """Have the event accepted and gated; return false when another one has its id."""
    json, most = event.to_json(), gateway.settings.max_event_bytes
    if len(json) > most:
        raise BodyTooLarge(f"output: the event has {len(json)} bytes as JSON; the most is {most}.", limit=most)
    reading = Reading([Readable(0, accepted_event(event, json.decode(), gateway.clock()))], [])
    return not (await gateway.publishing.publish(reading)).refused


def _started(gateway: Gateway, caller: Caller, wanted: JobStart, job_id: str) -> JobStarted:
    given, now = wanted, gateway.clock()
    deadline = given.deadline_at
    if given.timeout_seconds is not None:
        deadline = now + timedelta(seconds=given.timeout_seconds)
    data = JobStartedData(
        job_id=job_id,
        session_id=given.session_id,
        kind=given.kind,
        command=given.command,
        deadline_at=deadline,
        heartbeat_seconds=given.heartbeat_seconds,
        agent_key=given.agent_key,
    )
    user = caller.on_behalf_of(given.user)
    return JobStarted(
        id=derived_id("start", job_key(caller.organisation, job_id)),
        source=SOURCE,
        time=now,
        organisationid=caller.organisation,
        projectid=given.project,
        userid=user,
        data=data,
    )


def _finished(job: Document, wanted: JobFinish) -> JobFinished:
    """Return the event of an end: the same for the same request, so that it may be sent again."""
    told = ("job_id", "session_id", "kind", "command", "agent_key", "started_at")
    data = {name: job[name] for name in told}
    return JobFinished(
        id=derived_id("finish", job["_id"]),
        source=SOURCE,
        organisationid=job["organisation"],
        projectid=job["project"],
        userid=job["user"],
        data=JobFinishedData(**data, status=wanted.ended, exit_code=wanted.exit_code, output=wanted.output),
    )
