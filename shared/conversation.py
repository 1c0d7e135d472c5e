"""Reads sessions, turns, messages and jobs from events. Pure."""

from datetime import datetime, timedelta
from typing import Final

from contracts.chats import ChatTurnCompleted, ChatTurnStarted
from contracts.ids import derived_id
from contracts.jobs import JobFinished, JobFinishedData, JobStarted, JobStartedData
from contracts.sessions import SessionDeleted
from shared.store.jobs import Finish, NewJob
from shared.store.mongo import Document
from shared.store.sessions import Turn, Whose

Concerning = ChatTurnStarted | ChatTurnCompleted | SessionDeleted | JobStarted | JobFinished
"""The events that say something of a session."""

LONGEST: Final = timedelta(days=7)
"""A job without a deadline has this one, so that none is waited for for ever."""


def whose(event: ChatTurnStarted | ChatTurnCompleted | SessionDeleted | JobStarted | JobFinished) -> Whose:
    """Return the session that the event is about."""
    return Whose(event.organisationid, event.userid, event.data.session_id, event.projectid)


def turn_of(event: ChatTurnStarted | ChatTurnCompleted, until: datetime) -> Turn:
    """Return the turn that the event begins or ends."""
    return Turn(whose(event), event.data.turn_id, until)


def messages_of(event: ChatTurnCompleted, position: int, now: datetime) -> list[Document]:
    """Return what was said in a turn, as it is stored, from this position on."""
    session = whose(event)
    return [
        {
            "_id": derived_id("msg", event.key, str(index)),
            "session": session.key,
            "organisation": session.organisation,
            "user": session.user,
            "position": position + index,
            "role": message.role.value,
            "text": message.text,
            "at": event.time or now,
            "turn_id": event.data.turn_id,
            "run_id": None,
            "metadata": {} if event.data.model is None else {"model": event.data.model},
        }
        for index, message in enumerate(event.data.messages)
    ]


def job_of(event: JobStarted | JobFinished, now: datetime) -> NewJob:
    """Return the job that the event is about, as far as it tells."""
    data = event.data
    started = data.started_at if isinstance(data, JobFinishedData) else event.time
    watched = (data.deadline_at, data.heartbeat_seconds) if isinstance(data, JobStartedData) else (None, None)
    return NewJob(
        organisation=event.organisationid,
        project=event.projectid,
        user=event.userid,
        job_id=data.job_id,
        session_id=data.session_id,
        kind=data.kind,
        command=data.command,
        started_at=started or event.time or now,
        deadline_at=watched[0] or now + LONGEST,
        heartbeat_seconds=watched[1],
        agent_key=data.agent_key,
    )


def finish_of(event: JobFinished, now: datetime) -> Finish:
    """Return how the job ended."""
    data = event.data
    return Finish(event.key, data.status.value, data.exit_code, data.output, data.finished_at or event.time or now)
