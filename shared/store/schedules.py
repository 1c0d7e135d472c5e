"""Schedules as they are in force: one document for each Agent and member, with the next moment it is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from pymongo import ASCENDING, DESCENDING, DeleteMany, IndexModel, UpdateOne

from contracts.agents import Misfire, Schedule, Scope
from contracts.ids import derived_id
from shared.domain.binding import ScopeRef
from shared.domain.firing import FiringRule
from shared.domain.schedule import next_due
from shared.store.members import Member
from shared.store.mongo import Collection, Database, Document, storage_errors

INDEXES = [
    IndexModel([("next_due_at", ASCENDING)], name="by_due"),
    IndexModel([("organisation", ASCENDING), ("user", ASCENDING), ("_id", ASCENDING)], name="by_user"),
]

_SCHEDULE: TypeAdapter[Schedule] = TypeAdapter(Schedule)


@dataclass(frozen=True, slots=True)
class ScheduleInForce:
    """What fires one Agent for one member; every moment up to `since` has fired or is left out.

    `next_due_at` is when the next moment is fired, which `rule` may have come later than the moment itself.
    `decided_by` is the scope whose binding set the schedule, or None for the version's default. `fired_for` is the
    latest moment that was fired, if any was.
    """

    agent_key: str
    member: Member
    schedule: Schedule
    since: datetime
    next_due_at: datetime
    decided_by: ScopeRef | None = None
    rule: FiringRule = field(default_factory=FiringRule)
    fired_for: datetime | None = None

    @property
    def id(self) -> str:
        return schedule_id(self.agent_key, self.member)

    @property
    def offset(self) -> timedelta:
        """How much later than its moments it fires."""
        return self.rule.offset(self.id)

    def counting_from(self, since: datetime) -> "ScheduleInForce":
        """Return it as it is when all up to this moment is taken care of."""
        return replace(self, since=since, next_due_at=next_due(self.schedule, since) + self.offset)


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

    async def page(self, query: Document, after: tuple[str, str] | None, limit: int) -> list[ScheduleInForce]:
        """Return schedules that match, by user and id, from after this user and id on."""
        if after is not None:
            user, id_ = after
            query = {
                "$and": [query, {"user": {"$gte": user}}, {"$or": [{"user": {"$gt": user}}, {"_id": {"$gt": id_}}]}]
            }
        with storage_errors():
            cursor = self._schedules.find(query).sort([("user", ASCENDING), ("_id", ASCENDING)]).limit(limit)
            return [_schedule_of(document) async for document in cursor]

    async def soonest(self, query: Document, limit: int) -> list[ScheduleInForce]:
        """Return schedules that match, the next to be due first."""
        with storage_errors():
            cursor = self._schedules.find(query).sort("next_due_at", ASCENDING).limit(limit)
            return [_schedule_of(document) async for document in cursor]

    async def latest_fired(self, query: Document) -> ScheduleInForce | None:
        """Return the schedule of those that match that was fired last, if any was."""
        with storage_errors():
            cursor = self._schedules.find({**query, "fired_for": {"$ne": None}}).sort("fired_for", DESCENDING).limit(1)
            found = await cursor.to_list(1)
        return _schedule_of(found[0]) if found else None

    async def count(self, query: Document) -> int:
        """Return how many schedules match."""
        with storage_errors():
            return await self._schedules.count_documents(query)

    async def fired(self, moves: Iterable[tuple[ScheduleInForce, ScheduleInForce]]) -> None:
        """Move each schedule on, from how it was to how it is now; one that was changed meanwhile stays."""
        writes = [
            UpdateOne(
                {"_id": before.id, "next_due_at": before.next_due_at},
                {"$set": {"since": after.since, "next_due_at": after.next_due_at, "fired_for": after.fired_for}},
            )
            for before, after in moves
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
        "misfire": schedule.rule.misfire,
        "misfire_limit": schedule.rule.misfire_limit,
        "jitter_seconds": schedule.rule.jitter_seconds,
        "since": schedule.since,
        "next_due_at": schedule.next_due_at,
        "fired_for": schedule.fired_for,
    }


def _schedule_of(document: Document) -> ScheduleInForce:
    return ScheduleInForce(
        agent_key=document["agent_key"],
        member=Member(document["organisation"], document["project"], document["user"], document["timezone"]),
        schedule=_SCHEDULE.validate_python(document["schedule"]),
        decided_by=None if document["scope"] is None else ScopeRef(Scope(document["scope"]), document["scope_id"]),
        rule=_rule_of(document),
        since=document["since"],
        next_due_at=document["next_due_at"],
        fired_for=document.get("fired_for"),
    )


def _rule_of(document: Document) -> FiringRule:
    # Before there were rules, documents had none.
    default = FiringRule()
    return FiringRule(
        Misfire(document.get("misfire", default.misfire)),
        document.get("misfire_limit", default.misfire_limit),
        document.get("jitter_seconds", default.jitter_seconds),
    )
