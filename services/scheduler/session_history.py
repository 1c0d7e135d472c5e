"""Keeps few sessions and jobs: those in which nothing happens any more go, a little at a time."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.scheduler.history import delete_all, rest_seconds
from services.scheduler.leader import Leader
from shared.clock import Clock
from shared.store.jobs import JobStore
from shared.store.sessions import SessionStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SessionHistory:
    """Deletes while this process leads: jobs whose end was followed long ago, and sessions that nobody has written to."""

    jobs: JobStore
    sessions: SessionStore
    leader: Leader
    clock: Clock
    keep_jobs_for: timedelta
    keep_sessions_for: timedelta

    async def run(self) -> None:
        """Delete until cancelled."""
        shortest = min(self.keep_jobs_for, self.keep_sessions_for)
        await self.leader.keep_doing("session_history", self.shorten, rest_seconds(shortest))

    async def shorten(self) -> dict[str, int]:
        """Delete what is old enough by now; return how much of what went."""
        now = self.clock()
        gone = {
            "jobs": await delete_all(self.jobs.delete_old, now - self.keep_jobs_for),
            "sessions": await delete_all(self.sessions.delete_old, now - self.keep_sessions_for),
        }
        if any(gone.values()):
            log.info("sessions.shortened", **gone)
        return gone
