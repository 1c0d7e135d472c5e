"""Jobs and sessions as the API shows them. The classes document the answers; the functions make them."""

from datetime import datetime
from typing import Any

from services.gateway.views import Document, View
from shared.domain.job import FollowUpStatus
from shared.domain.run import ACTIVE, RunStatus, Waiting
from shared.domain.session import open_turn


class FollowUpView(View):
    """What became of the end of a job; `code` says why for what is no more than handled, or a dead letter."""

    status: FollowUpStatus
    run_id: str | None
    code: str | None
    followed_up_at: datetime | None


class LateEndView(View):
    """An end that was told after the job had ended already; it was not followed."""

    status: str
    exit_code: int | None
    output: str
    at: datetime


class JobView(View):
    """A job. `status` is `running`, or how it ended; `follow_up` is null until then. `key` names it in any path."""

    job_id: str
    key: str
    organisation: str
    project: str | None
    user: str
    session_id: str
    kind: str
    command: str
    agent_key: str | None
    status: str
    exit_code: int | None
    started_at: datetime
    finished_at: datetime | None
    deadline_at: datetime | None
    heartbeat_seconds: int | None
    heartbeat_at: datetime
    follow_up: FollowUpView | None


class JobDetail(JobView):
    output: str
    late_end: LateEndView | None


class JobList(View):
    jobs: list[JobView]
    next_cursor: str | None


class TurnView(View):
    """The turn that holds a session; `until` is when it does not any more, whether or not it has ended."""

    id: str
    since: datetime
    until: datetime


class MessageView(View):
    """One message. One of an Agent has `run_id`, and `metadata` with `tool_events`, `model`, `job_id`, `job_result`."""

    position: int
    role: str
    text: str
    at: datetime
    turn_id: str | None
    run_id: str | None
    metadata: dict[str, Any]


class SessionView(View):
    """A session with a page of its messages, the first said first; `open_turn` holds it now, if one does."""

    session_id: str
    key: str
    organisation: str
    project: str | None
    user: str
    created_at: datetime
    changed_at: datetime
    length: int
    open_turn: TurnView | None
    messages: list[MessageView]
    next_cursor: str | None


class DeletedSession(View):
    """A session that is gone."""

    session_id: str
    deleted_at: datetime


_JOB = ("job_id", "organisation", "project", "user", "session_id", "kind", "command", "agent_key", "status",
        "started_at", "deadline_at", "heartbeat_seconds", "heartbeat_at")  # fmt: skip
_SESSION = ("session_id", "organisation", "project", "user", "created_at", "changed_at", "length")
_MESSAGE = ("position", "role", "text", "at", "turn_id", "run_id", "metadata")


def job_view(job: Document, run: Document | None) -> dict[str, Any]:
    """Return a job as a list shows it; `run` is the one that follows its end, if it is there."""
    return {
        **{name: job[name] for name in _JOB},
        "key": job["_id"],
        "exit_code": job.get("exit_code"),
        "finished_at": job.get("finished_at"),
        "follow_up": _follow_up(job, run),
    }


def job_detail(job: Document, run: Document | None) -> dict[str, Any]:
    """Return a job with what it printed."""
    late = job.get("late_end")
    shown = None if late is None else {name: late[name] for name in LateEndView.model_fields}
    return {**job_view(job, run), "output": job.get("output", ""), "late_end": shown}


def session_view(session: Document, messages: list[dict[str, Any]], limit: int, now: datetime) -> dict[str, Any]:
    """Return a session with its first `limit` of these messages, of which there is one more when there are more."""
    turn, shown = open_turn(session, now), messages[:limit]
    return {
        **{name: session[name] for name in _SESSION},
        "key": session["_id"],
        "open_turn": None if turn is None else {"id": turn.id, "since": turn.since, "until": turn.until},
        "messages": [{name: each[name] for name in _MESSAGE} for each in shown],
        "next_cursor": str(shown[-1]["position"]) if len(messages) > limit else None,
    }


def _follow_up(job: Document, run: Document | None) -> dict[str, Any] | None:
    follow_up = job.get("follow_up")
    if follow_up is None:
        return None
    status = FollowUpStatus(follow_up["status"])
    is_again = status is FollowUpStatus.DEAD_LETTER and run is not None and run["status"] in ACTIVE
    is_open = status is FollowUpStatus.PENDING or is_again
    return {
        **follow_up,
        "status": _open_status(run) if is_open else status,
        "code": None if is_open else follow_up["code"],
        "followed_up_at": None if is_open else job.get("followed_up_at"),
    }


def _open_status(run: Document | None) -> FollowUpStatus:
    """Return whether it is a turn of the session that the answer, or its run, waits for."""
    if run is None:
        return FollowUpStatus.PENDING
    waiting = run["waiting_for"]
    is_waiting = waiting is not None and waiting["what"] == Waiting.SESSION
    return FollowUpStatus.WAITING if is_waiting or run["status"] == RunStatus.COMPLETED else FollowUpStatus.PENDING
