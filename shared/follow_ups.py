"""What comes of the ends of jobs: the answer of a committed run is said in the session, and the job knows how it went."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from shared.clock import Clock
from shared.domain.following_up import is_follow_up, message_of
from shared.domain.job import FollowUpStatus
from shared.domain.run import RunStatus
from shared.domain.session import session_key
from shared.store.jobs import JobStore
from shared.store.mongo import Document
from shared.store.sessions import SessionStore, Whose

log = structlog.get_logger()

SESSION_DELETED = "session_deleted"
_MOST_WAITING = 100


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Everything may be repeated, and done by several processes at once.

    A message is kept first and then given its place, which it gets only while no turn of its session is open.
    """

    sessions: SessionStore
    jobs: JobStore
    clock: Clock

    async def project(self, finished: Sequence[Document]) -> None:
        """Follow ended runs; those that continue no session are left out."""
        await asyncio.gather(*(self._project(run) for run in finished if is_follow_up(run)))

    async def place(self, waiting: Iterable[Document]) -> int:
        """Give these messages their places where no turn is open; return how many wait no longer."""
        return sum([await self._place(message) for message in waiting])

    async def place_in(self, sessions: Iterable[str]) -> None:
        """Give the messages that wait in these sessions their places."""
        for key in sessions:
            await self.place(await self.sessions.messages.waiting(_MOST_WAITING, key))

    async def _project(self, run: Document) -> None:
        if run["status"] == RunStatus.FAILED:
            await self._followed(run["event_key"], run["_id"], FollowUpStatus.DEAD_LETTER, run["error"]["code"])
        elif run["status"] == RunStatus.CANCELLED:
            code = "cancelled" if run.get("error") is None else run["error"]["code"]
            await self._followed(run["event_key"], run["_id"], FollowUpStatus.HANDLED, code)
        else:
            await self._say(run)

    async def _say(self, run: Document) -> None:
        message = message_of(run)
        if message is None:
            return
        session = session_key(run["organisation"], message["session_id"])
        kept = {**message, "session": session, "event_key": run["event_key"], "waiting": True}
        await self.sessions.messages.add([kept])
        await self.place([kept])

    async def _place(self, message: Document) -> bool:
        whose = Whose(message["organisation"], message["user"], message["session_id"])
        position = await self.sessions.take_free_place(whose, message["origin"], self.clock())
        if position is not None:
            await self.sessions.messages.place(message["_id"], position)
            await self._followed(message["event_key"], message["run_id"], FollowUpStatus.DONE)
            return True
        if await self._is_there(whose):
            return False
        await self._followed(message["event_key"], message["run_id"], FollowUpStatus.HANDLED, SESSION_DELETED)
        await self.sessions.messages.drop(message["_id"])
        return True

    async def _is_there(self, whose: Whose) -> bool:
        session = (await self.sessions.load([whose.key])).get(whose.key)
        return session is not None and session["deleted_at"] is None and session["user"] == whose.user

    async def _followed(self, event_key: str, run_id: str, status: FollowUpStatus, code: str | None = None) -> None:
        await self.jobs.followed(event_key, run_id, status, code, self.clock())
        log.info("follow_up.ended", run_id=run_id, status=status.value, code=code)
