"""What happens to jobs, the long work outside whose end continues a session."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.agents import AgentKey
from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Answer, Moment, Text, Word

HeartbeatSeconds = Annotated[int, Field(strict=True, ge=1, le=86_400)]
"""How long a job may be silent."""


class JobStatus(StrEnum):
    """How a job ended; `died` means that its process vanished and nobody knows why."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    DIED = "died"


class JobStartedData(EventData):
    """A job and the session that waits for it.

    Without an end by `deadline_at` it counts as timed out, after `heartbeat_seconds` without a heartbeat as died.
    `agent_key` names who continues the session instead of `job_follow_up`.
    """

    job_id: Identifier
    session_id: Identifier
    kind: Word
    command: Answer = ""
    deadline_at: Moment | None = None
    heartbeat_seconds: HeartbeatSeconds | None = None
    agent_key: AgentKey | None = None


class JobFinishedData(EventData):
    """How a job ended; `exit_code` is missing when the process gave none.

    `agent_key` names who continues the session instead of `job_follow_up`.
    """

    job_id: Identifier
    session_id: Identifier
    kind: Word
    command: Answer = ""
    status: JobStatus
    exit_code: Annotated[int, Field(strict=True, ge=-(2**31), le=2**31 - 1)] | None = None
    output: Text = ""
    started_at: Moment | None = None
    finished_at: Moment | None = None
    agent_key: AgentKey | None = None


class JobStarted(Event):
    """A session started a job."""

    type: Literal["job.started"] = "job.started"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: JobStartedData


class JobFinished(Event):
    """A job ended, well or not."""

    type: Literal["job.finished"] = "job.finished"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: JobFinishedData
