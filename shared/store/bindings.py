"""Bindings: what each scope says about each Agent."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter
from pymongo import ASCENDING, IndexModel

from contracts.active_hours import ActiveHours
from contracts.agents import BindingLimits, CallMode, ModelTier, Schedule, Scope
from contracts.lanes import Lane
from shared.domain.binding import Binding, ScopeRef
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.revision import Revision

INDEXES = [
    IndexModel([("organisation", ASCENDING), ("agent_key", ASCENDING)], name="by_organisation"),
    IndexModel([("changed_at", ASCENDING)], name="by_change"),
]

T = TypeVar("T")

_SCHEDULE: TypeAdapter[Schedule] = TypeAdapter(Schedule)


class BindingStore:
    """The `bindings` collection."""

    def __init__(self, database: Database) -> None:
        self._bindings: Collection = database["bindings"]
        self._revision = Revision(database)

    async def put(self, binding: Binding) -> None:
        """Write the binding over the one this scope had for this Agent."""
        with storage_errors():
            await self._bindings.update_one({"_id": binding.id}, written_now(binding), upsert=True)
        await self._revision.advance()

    async def find(self, query: Document) -> list[Binding]:
        """Return the bindings that match."""
        with storage_errors():
            return [binding_of(document) async for document in self._bindings.find(query)]


def written_now(binding: Binding) -> Document:
    """Return the write of a binding, which notes the database's own time so that readers find what is new."""
    return {"$set": _document(binding), "$currentDate": {"changed_at": True}}


def _document(binding: Binding) -> Document:
    return {
        "organisation": binding.organisation,
        "scope": binding.at.scope,
        "scope_id": binding.at.id,
        "agent_key": binding.agent_key,
        "enabled": binding.enabled,
        "paused": binding.paused,
        "call_mode": binding.call_mode,
        "priority_level": binding.priority_level,
        "model": binding.model,
        "active_hours": _dumped(binding.active_hours),
        "limits": _dumped(binding.limits),
        "schedule": _dumped(binding.schedule),
        "updated_at": binding.updated_at,
        "updated_by": binding.updated_by,
    }


def binding_of(document: Document) -> Binding:
    return Binding(
        organisation=document["organisation"],
        at=ScopeRef(Scope(document["scope"]), document["scope_id"]),
        agent_key=document["agent_key"],
        enabled=document["enabled"],
        paused=document.get("paused"),
        call_mode=_read(CallMode, document.get("call_mode")),
        priority_level=_read(Lane, document.get("priority_level")),
        model=_read(ModelTier, document.get("model")),
        active_hours=_read(ActiveHours.model_validate, document.get("active_hours")),
        limits=_read(BindingLimits.model_validate, document.get("limits")),
        schedule=_read(_SCHEDULE.validate_python, document["schedule"]),
        updated_at=document["updated_at"],
        updated_by=document["updated_by"],
    )


def _dumped(value: BaseModel | None) -> Document | None:
    return None if value is None else value.model_dump(mode="json")


def _read(read: Callable[[Any], T], stored: Any) -> T | None:
    """Return what is stored; documents that were written before the field was there say nothing."""
    return None if stored is None else read(stored)
