"""What events say of sessions and jobs: written down before the gate decides, and released for after a turn has ended."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from contracts.chats import ChatTurnCompleted, ChatTurnStarted
from contracts.envelope import Event
from contracts.jobs import JobFinished, JobStarted
from contracts.sessions import SessionDeleted
from services.gating.overlap import Decided
from shared.admission import Admission
from shared.conversation import Concerning, finish_of, job_of, messages_of, turn_of, whose
from shared.domain.decision import Decision, Reason, RunDecided, Skipped
from shared.domain.job import FollowUpStatus
from shared.domain.session import TARGET_TYPE
from shared.follow_ups import FollowUps
from shared.store.runs import RunStore

log = structlog.get_logger()

_MOST_RELEASED = 100
_AT_A_TIME = 16

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Continuing:
    """Costs nothing for events of other types. Everything may be repeated: events are delivered more than once.

    A turn without an end holds its session for `turn_limit`.
    """

    follow_ups: FollowUps
    runs: RunStore
    admission: Admission
    turn_limit: timedelta

    async def note(self, events: Iterable[Event], now: datetime) -> set[str]:
        """Write down what the events say, in the order of each session's; some sessions are written at a time.

        Returns the keys of ends of jobs that have ended otherwise.
        """
        of_session: dict[str, list[Concerning]] = {}
        for event in events:
            if isinstance(event, Concerning):
                of_session.setdefault(whose(event).key, []).append(event)
        if not of_session:
            return set()
        await self.follow_ups.sessions.keep([whose(some[0]) for some in of_session.values()], now)
        places = asyncio.Semaphore(_AT_A_TIME)
        noting = (self._note_all(some, now, places) for some in of_session.values())
        noted = await asyncio.gather(*noting, return_exceptions=True)
        for each in noted:
            if isinstance(each, BaseException):
                raise each
        return {key for late in noted if isinstance(late, set) for key in late}

    async def _note_all(self, some: Sequence[Concerning], now: datetime, places: asyncio.Semaphore) -> set[str]:
        late: set[str] = set()
        async with places:
            for event in some:
                if not isinstance(event, JobFinished):
                    await self._note(event, now)
                elif not await self.follow_ups.jobs.finish(job_of(event, now), finish_of(event, now), now):
                    late.add(event.key)
        return late

    async def _note(
        self, event: ChatTurnStarted | ChatTurnCompleted | SessionDeleted | JobStarted, now: datetime
    ) -> None:
        match event:
            case ChatTurnStarted():
                await self.follow_ups.sessions.begin([turn_of(event, now + self.turn_limit)], now)
            case ChatTurnCompleted():
                await self._complete(event, now)
            case SessionDeleted():
                await self._delete(event, now)
            case JobStarted():
                await self.follow_ups.jobs.start([job_of(event, now)], now)

    async def note_followers(
        self, events: Iterable[Event], decided: Mapping[str, Sequence[Record]], now: datetime
    ) -> None:
        """Note which run follows the end of each job, or why there is none."""
        for event in events:
            if isinstance(event, JobFinished) and event.key in decided:
                await self._note_follower(event, decided[event.key], now)

    async def _complete(self, event: ChatTurnCompleted, now: datetime) -> None:
        sessions, turn = self.follow_ups.sessions, turn_of(event, now)
        position = await sessions.take_places(turn.whose, event.key, len(event.data.messages), now)
        if position is None:
            log.info("chat_turn.ignored", session_id=event.data.session_id, event_key=event.key)
            return
        await sessions.messages.add(messages_of(event, position, now))
        await sessions.complete([turn], now)
        await self._release(turn.whose.key)

    async def _delete(self, event: SessionDeleted, now: datetime) -> None:
        session = whose(event)
        if await self.follow_ups.sessions.delete(session, now):
            await self._release(session.key)

    async def _release(self, session: str) -> None:
        await self.follow_ups.place_in([session])
        await self.admission.release(await self.runs.waiting_under(session, _MOST_RELEASED))

    async def _note_follower(self, event: JobFinished, records: Sequence[Record], now: datetime) -> None:
        jobs = self.follow_ups.jobs
        following = [each for each in records if each["outcome"] == "run" and each["target"]["type"] == TARGET_TYPE]
        if following:
            await jobs.followed_by(event.key, following[0]["run_id"])
            return
        reason = records[0]["reason"] if records else "no_agent"
        await jobs.followed(event.key, None, FollowUpStatus.HANDLED, reason, now)


def without_late(decided: Decided, late: Iterable[str]) -> Decided:
    """Return the decisions on ends that come late anew: their sessions go on because of another end."""
    return {key: [_told_late(decision) for decision in decided[key]] for key in late if key in decided}


def _told_late(decision: Decision) -> Decision:
    if not isinstance(decision, RunDecided) or decision.target.type != TARGET_TYPE:
        return decision
    detail = "the job had ended already, and that end is followed"
    return Skipped(decision.agent_key, decision.agent_version, Reason.JOB_ENDED, None, detail)
