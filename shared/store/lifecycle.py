"""Changes of an Agent's status: made now or at a moment to come, each with a record of who, when and why."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from contracts.agent_kinds import AgentStatus
from contracts.ids import derived_id
from shared.store.agent_documents import PlannedStatus, planned_status
from shared.store.mongo import Collection, Document, Mongo, storage_errors
from shared.store.revision import Revision
from shared.store.transaction import Transaction

AGENT_INDEXES = [IndexModel([("planned_status.at", ASCENDING)], name="planned", sparse=True)]
INDEXES = [IndexModel([("agent_id", ASCENDING), ("at", DESCENDING)], name="of_agent")]


class ChangeKind(StrEnum):
    """What was done to an Agent, other than publishing it: that is recorded by its versions."""

    STATUS_CHANGED = "status_changed"
    STATUS_PLANNED = "status_planned"
    PLAN_CANCELLED = "plan_cancelled"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One change: who, when, from which status to which, and why; `planned_for` is the moment of a plan."""

    kind: ChangeKind
    at: datetime
    by: str
    before: str
    after: str | None = None
    reason: str = ""
    planned_for: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """An Agent whose planned status is due."""

    agent_id: str
    planned: PlannedStatus


class LifecycleStore:
    """The statuses in `agents`, and the collection `agent_changes`, written together. Agents are named by their ids."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._agents: Collection = mongo.database["agents"]
        self._changes: Collection = mongo.database["agent_changes"]
        self._revision = Revision(mongo.database)

    async def set_status(self, agent_id: str, change: ChangeRecord) -> None:
        """Have every service obey the status that the change comes to; a plan stays."""
        await self._write(agent_id, {"$set": {"status": change.after}}, change)
        await self._revision.advance()

    async def archive(self, agent_id: str, change: ChangeRecord) -> None:
        """Publish the Agent no more; its versions stay, and the runs that are pinned to them go on."""
        await self._write(agent_id, {"$set": {"archived_at": change.at, "archived_by": change.by}}, change)
        await self._revision.advance()

    async def plan(self, agent_id: str, planned: PlannedStatus, change: ChangeRecord) -> None:
        """Have the status changed at a moment to come, instead of any other plan that there was."""
        await self._write(agent_id, {"$set": {"planned_status": asdict(planned)}}, change)

    async def cancel_plan(self, agent_id: str, planned: PlannedStatus, change: ChangeRecord) -> bool:
        """Forget this plan; false when it is not there any more."""
        query = {"_id": agent_id, "planned_status.id": planned.id}
        return await self._write(agent_id, {"$unset": {"planned_status": ""}}, change, query)

    async def due(self, now: datetime, limit: int) -> list[Due]:
        """Return the Agents whose plan is due, longest due first."""
        with storage_errors():
            found = self._agents.find({"planned_status.at": {"$lte": now}}, {"planned_status": 1})
            documents = await found.sort("planned_status.at", ASCENDING).limit(limit).to_list(limit)
        return [Due(each["_id"], planned_status(each["planned_status"])) for each in documents]

    async def carry_out(self, due: Due, now: datetime) -> AgentStatus | None:
        """Do what was planned and return the status before; None when it was done, changed or cancelled meanwhile."""

        def once(within: Transaction) -> Document | None:
            before: Document | None = within["agents"].find_one_and_update(
                {"_id": due.agent_id, "planned_status.id": due.planned.id},
                {"$set": {"status": due.planned.status}, "$unset": {"planned_status": ""}},
                return_document=ReturnDocument.BEFORE,
            )
            if before is not None:
                within["agent_changes"].insert_one(_document(due.agent_id, _carried_out(due, before, now)))
            return before

        before = await self._mongo.transaction(once)
        if before is None:
            return None
        await self._revision.advance()
        return AgentStatus(before.get("status", AgentStatus.ACTIVE))

    async def changes(self, agent_id: str, limit: int) -> list[ChangeRecord]:
        """Return what was done to the Agent, the latest first."""
        with storage_errors():
            found = (
                self._changes.find({"agent_id": agent_id}).sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
            )
            return [_change(document) async for document in found]

    async def _write(
        self, agent_id: str, update: Document, change: ChangeRecord, query: Document | None = None
    ) -> bool:
        def once(within: Transaction) -> bool:
            result = within["agents"].update_one(query or {"_id": agent_id}, update)
            if result.matched_count:
                within["agent_changes"].insert_one(_document(agent_id, change))
            return result.matched_count == 1

        return await self._mongo.transaction(once)


def plan_id(agent_id: str, status: AgentStatus, requested_at: datetime) -> str:
    """Return the id of what somebody planned for this Agent at this moment."""
    return derived_id("pln", agent_id, status, requested_at.isoformat())


def _carried_out(due: Due, before: Document, now: datetime) -> ChangeRecord:
    planned = due.planned
    status = before.get("status", AgentStatus.ACTIVE)
    return ChangeRecord(
        ChangeKind.STATUS_CHANGED, now, planned.by, status, planned.status, planned.reason, planned_for=planned.at
    )


def _document(agent_id: str, change: ChangeRecord) -> Document:
    return {"agent_id": agent_id, **asdict(change)}


def _change(document: Document) -> ChangeRecord:
    values = {name: document[name] for name in ChangeRecord.__dataclass_fields__}
    return ChangeRecord(**{**values, "kind": ChangeKind(document["kind"])})
