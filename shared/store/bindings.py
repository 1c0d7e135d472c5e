"""Bindings: what each scope says about each Agent."""

from pydantic import TypeAdapter
from pymongo import ASCENDING, IndexModel

from contracts.agents import CallMode, Schedule, Scope
from shared.domain.binding import Binding, ScopeRef
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.revision import Revision

INDEXES = [IndexModel([("organisation", ASCENDING), ("agent_key", ASCENDING)], name="by_organisation")]

_SCHEDULE: TypeAdapter[Schedule] = TypeAdapter(Schedule)


class BindingStore:
    """The `bindings` collection."""

    def __init__(self, database: Database) -> None:
        self._bindings: Collection = database["bindings"]
        self._revision = Revision(database)

    async def put(self, binding: Binding) -> None:
        """Write the binding over the one this scope had for this Agent."""
        with storage_errors():
            await self._bindings.replace_one({"_id": binding.id}, binding_document(binding), upsert=True)
        await self._revision.advance()

    async def find(self, query: Document) -> list[Binding]:
        """Return the bindings that match."""
        with storage_errors():
            return [binding_of(document) async for document in self._bindings.find(query)]

    async def all(self) -> list[Binding]:
        """Return every binding of every organisation."""
        return await self.find({})


def binding_document(binding: Binding) -> Document:
    return {
        "_id": binding.id,
        "organisation": binding.organisation,
        "scope": binding.at.scope,
        "scope_id": binding.at.id,
        "agent_key": binding.agent_key,
        "enabled": binding.enabled,
        "paused": binding.paused,
        "call_mode": binding.call_mode,
        "schedule": None if binding.schedule is None else binding.schedule.model_dump(mode="json"),
        "updated_at": binding.updated_at,
        "updated_by": binding.updated_by,
    }


def binding_of(document: Document) -> Binding:
    schedule = document["schedule"]
    return Binding(
        organisation=document["organisation"],
        at=ScopeRef(Scope(document["scope"]), document["scope_id"]),
        agent_key=document["agent_key"],
        enabled=document["enabled"],
        paused=document.get("paused"),
        call_mode=None if document.get("call_mode") is None else CallMode(document["call_mode"]),
        schedule=None if schedule is None else _SCHEDULE.validate_python(schedule),
        updated_at=document["updated_at"],
        updated_by=document["updated_by"],
    )
