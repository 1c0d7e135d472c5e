"""Schedules as they are in force: one document for each Agent and member, with the next moment it is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter
from pymongo import ASCENDING, DeleteMany, IndexModel, UpdateOne

from contracts.agents import Schedule, Scope
from contracts.ids import derived_id
from shared.domain.binding import ScopeRef
from shared.store.members import Member
from shared.store.mongo import Collection, Database, Document, storage_errors

INDEXES = [IndexModel([("next_due_at", ASCENDING)], name="by_due")]

_SCHEDULE: TypeAdapter[Schedule] = TypeAdapter(Schedule)


@dataclass(frozen=True, slots=True)
class ScheduleInForce:
    """What fires one Agent for one member; everything before `since` has fired or is forgotten.

    `decided_by` is the scope whose binding set the schedule, or None for the version's default.
    """

    agent_key: str
    member: Member
    schedule: Schedule
    since: datetime
    next_due_at: datetime
    decided_by: ScopeRef | None = None

    @property
    def id(self) -> str:
        return schedule_id(self.agent_key, self.member)


def schedule_id(agent_key: str, member: Member) -> str:
    """Return the id of the only schedule that this Agent can have for this member."""
    return derived_id("sch", agent_key, member.organisation, member.project, member.user)


class ScheduleStore:
    """The `schedules` collection."""

    def __init__(self, database: Database) -> None:
        self._schedules: Collection = database["schedules"]

    async def all(self) -> dict[str, ScheduleInForce]:
        """Return every schedule by its id."""
        with storage_errors():
            return {document["_id"]: _schedule_of(document) async for document in self._schedules.find({})}

    async def due(self, now: datetime, limit: int) -> list[ScheduleInForce]:
        """Return schedules that are due, longest due first."""
        with storage_errors():
            cursor = self._schedules.find({"next_due_at": {"$lte": now}}).sort("next_due_at", ASCENDING).limit(limit)
            return [_schedule_of(document) async for document in cursor]

    async def put(self, changed: Sequence[ScheduleInForce], gone: Iterable[str]) -> None:
        """Write new and changed schedules and remove those that are no more."""
        writes: list[UpdateOne | DeleteMany] = [
            UpdateOne({"_id": schedule.id}, {"$set": _document(schedule)}, upsert=True) for schedule in changed
        ]
        ids = list(gone)
        if ids:
            writes.append(DeleteMany({"_id": {"$in": ids}}))
        if writes:
            with storage_errors():
                await self._schedules.bulk_write(writes, ordered=False)

    async def fired(self, fires: Iterable[tuple[ScheduleInForce, datetime, datetime]]) -> None:
        """Move each schedule on from the moment it was due to its next; a schedule changed meanwhile stays."""
        writes = [
            UpdateOne(
                {"_id": schedule.id, "next_due_at": schedule.next_due_at},
                {"$set": {"since": since, "next_due_at": next_due_at}},
            )
            for schedule, since, next_due_at in fires
        ]
        if writes:
            with storage_errors():
                await self._schedules.bulk_write(writes, ordered=False)


def _document(schedule: ScheduleInForce) -> Document:
    member = schedule.member
    return {
        "agent_key": schedule.agent_key,
        "organisation": member.organisation,
        "project": member.project,
        "user": member.user,
        "timezone": member.timezone,
        "schedule": schedule.schedule.model_dump(mode="json"),
        "scope": None if schedule.decided_by is None else schedule.decided_by.scope,
        "scope_id": None if schedule.decided_by is None else schedule.decided_by.id,
        "since": schedule.since,
        "next_due_at": schedule.next_due_at,
    }


def _schedule_of(document: Document) -> ScheduleInForce:
    return ScheduleInForce(
        agent_key=document["agent_key"],
        member=Member(document["organisation"], document["project"], document["user"], document["timezone"]),
        schedule=_SCHEDULE.validate_python(document["schedule"]),
        decided_by=None if document["scope"] is None else ScopeRef(Scope(document["scope"]), document["scope_id"]),
        since=document["since"],
        next_due_at=document["next_due_at"],
    )
