"""What happens to runs; only Towpath itself publishes these."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Answer, Count, Moment, Number, Word


class Target(EventData):
    """What a run works on; the id may be made of several ids and fields of the event that started the run."""

    type: Word
    id: Annotated[str, StringConstraints(min_length=1, max_length=8_192)]


class RunError(EventData):
    """Why a run failed; `code` is stable and meant for programs, `detail` for people."""

    code: Word
    detail: Answer = ""
    retryable: bool = False


class Usage(EventData):
    """What a run has cost so far."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    model_calls: Count = 0


class RunData(EventData):
    """The state of a run after the event; `attempt` is 0 until a runner has claimed it."""

    run_id: Identifier
    agent_key: Identifier
    agent_version: Number
    event_key: Identifier
    target: Target
    attempt: Count
    status: Word
    error: RunError | None = None
    usage: Usage = Usage()
    queued_at: Moment
    started_at: Moment | None = None
    finished_at: Moment | None = None


class RunQueuedData(RunData):
    """A run that waits; `error` is why its last attempt failed."""

    status: Literal["queued"] = "queued"


class RunStartedData(RunData):
    """A run that a runner works on."""

    status: Literal["running"] = "running"
    started_at: Moment


class RunCompletedData(RunData):
    """A run whose output and effects are recorded."""

    status: Literal["completed"] = "completed"
    started_at: Moment
    finished_at: Moment


class RunFailedData(RunData):
    """A run that will not be tried again."""

    status: Literal["failed"] = "failed"
    error: RunError
    finished_at: Moment


class RunCancelledData(RunData):
    """A run that was ended by somebody's wish."""

    status: Literal["cancelled"] = "cancelled"
    finished_at: Moment


class RunQueued(Event):
    """A run was queued, for the first time or again."""

    type: Literal["run.queued"] = "run.queued"
    dataversion: Literal["1"] = "1"
    data: RunQueuedData


class RunStarted(Event):
    """A runner claimed a run."""

    type: Literal["run.started"] = "run.started"
    dataversion: Literal["1"] = "1"
    data: RunStartedData


class RunCompleted(Event):
    """A run completed."""

    type: Literal["run.completed"] = "run.completed"
    dataversion: Literal["1"] = "1"
    data: RunCompletedData


class RunFailed(Event):
    """A run failed for good."""

    type: Literal["run.failed"] = "run.failed"
    dataversion: Literal["1"] = "1"
    data: RunFailedData


class RunCancelled(Event):
    """A run was cancelled."""

    type: Literal["run.cancelled"] = "run.cancelled"
    dataversion: Literal["1"] = "1"
    data: RunCancelledData
