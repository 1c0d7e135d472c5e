"""Watches jobs: one that did not end by its deadline, or is not heard of any more, is told to have ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from contracts.ids import derived_id
from contracts.jobs import JobFinished, JobFinishedData, JobStatus
from services.scheduler.leader import Leader
from shared.clock import Clock
from shared.domain.job import overdue
from shared.messaging.publisher import Publisher
from shared.own_events import accept_own
from shared.store.events import EventStore
from shared.store.jobs import JobStore
from shared.store.mongo import Document

log = structlog.get_logger()

JOB_SOURCE = "/towpath/scheduler"
_BATCH = 200
_TICK_SECONDS = 1.0
_LOOK_AGAIN_AFTER = timedelta(seconds=5)
"""The end that was told has ended the job by then, unless gating is away."""


@dataclass(frozen=True, slots=True)
class JobWatch:
    """Looks while this process leads. What is found is noted with the job first, so that everybody tells the same end."""

    jobs: JobStore
    events: EventStore
    publisher: Publisher
    leader: Leader
    clock: Clock

    async def run(self) -> None:
        """Look until cancelled."""
        await self.leader.keep_doing("jobs", self.look, _TICK_SECONDS)

    async def look(self) -> int:
        """Tell the end of every job whose moment has come; return how many there were."""
        told = 0
        while ended := await self._tell(await self.jobs.due(self.clock(), _BATCH)):
            told += ended
        return told

    async def _tell(self, due: Sequence[Document]) -> int:
        now, ended = self.clock(), []
        for job in due:
            status = overdue(job, now)
            # It was heard of since it became due: its heartbeat sets the next moment.
            found = status and await self.jobs.find_ended(job, status.value, now, now + _LOOK_AGAIN_AFTER)
            if found:
                ended.append(found)
        await accept_own(self.events, self.publisher, [end_of(job) for job in ended], now)
        for job in ended:
            log.warning("job.found_ended", job_id=job["job_id"], status=job["found_ended"]["status"])
        return len(ended)


def end_of(job: Document) -> JobFinished:
    """Return the event that a job was found to have ended: the same whoever tells it, and however often."""
    found = job["found_ended"]
    return JobFinished(
        id=derived_id("end", job["_id"]),
        source=JOB_SOURCE,
        time=found["at"],
        organisationid=job["organisation"],
        projectid=job["project"],
        userid=job["user"],
        data=JobFinishedData(
            job_id=job["job_id"],
            session_id=job["session_id"],
            kind=job["kind"],
            command=job["command"],
            status=JobStatus(found["status"]),
            started_at=job["started_at"],
            finished_at=found["at"],
            agent_key=job["agent_key"],
        ),
    )
