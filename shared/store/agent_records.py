"""What people read and change of Agents: drafts, statuses, archiving, and the history of versions."""

from collections.abc import Iterable

import orjson
from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from shared.domain.agent_id import agent_id, version_id
from shared.store.agent_documents import AgentRecord, Draft, VersionRecord, agent_record, version_record
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.revision import Revision


class AgentRecords:
    """The collections of AgentStore, for those who administer Agents. `organisation` is empty for the server's."""

    def __init__(self, database: Database) -> None:
        self._agents: Collection = database["agents"]
        self._versions: Collection = database["agent_versions"]
        self._revision = Revision(database)

    async def visible(self, organisation: str) -> list[AgentRecord]:
        """Return the Agents of the server and of this organisation, archived ones and overridden ones too."""
        return await self._find({"organisation": {"$in": [None, organisation]}})

    async def of_key(self, organisation: str, key: str) -> list[AgentRecord]:
        """Return what this key means to the organisation: its own Agent and the server's, as far as they exist."""
        ids = [agent_id(organisation, key), agent_id("", key)]
        return await self._find({"_id": {"$in": ids}, "organisation": {"$in": [None, organisation]}})

    async def _find(self, query: Document) -> list[AgentRecord]:
        with storage_errors():
            return [agent_record(document) async for document in self._agents.find(query)]

    async def save_draft(self, organisation: str, key: str, draft: Draft, *, is_new: bool) -> bool:
        """Write the draft over the one there was; a new Agent is not written over one that exists and is not archived.

        Return whether it was written.
        """
        saved = {"json": orjson.dumps(draft.content).decode(), "saved_by": draft.saved_by, "saved_at": draft.saved_at}
        change: Document = {"$set": {"draft": saved}}
        query: Document = {"_id": agent_id(organisation, key)}
        if is_new:
            query["archived_at"] = {"$ne": None}
            created = {"published": None, "created_at": draft.saved_at, "created_by": draft.saved_by}
            change["$setOnInsert"] = created | ({"organisation": organisation} if organisation else {})
        with storage_errors():
            try:
                result = await self._agents.update_one(query, change, upsert=is_new)
            except DuplicateKeyError:
                return False
        return result.matched_count == 1 or result.upserted_id is not None

    async def drop_draft(self, organisation: str, key: str, draft: Draft) -> None:
        """Forget this draft, unless somebody has saved another meanwhile."""
        with storage_errors():
            await self._agents.update_one(
                {"_id": agent_id(organisation, key), "draft.saved_at": draft.saved_at}, {"$unset": {"draft": ""}}
            )

    async def overriding(self, key: str) -> list[str]:
        """Return the organisations that have a published Agent of their own with this key, which hides the server's."""
        query = {"organisation": {"$ne": None}, "published": {"$ne": None}, "archived_at": None}
        with storage_errors():
            found = self._agents.find(query, {"organisation": 1})
            return [each["organisation"] async for each in found if each["_id"] == agent_id(each["organisation"], key)]

    async def version(self, organisation: str, key: str, number: int) -> VersionRecord | None:
        """Return one version with its history."""
        wanted = version_id(organisation, key, number)
        return (await self._versions_of_ids([wanted])).get(wanted)

    async def versions(self, organisation: str, key: str, skip: int, limit: int) -> list[VersionRecord]:
        """Return versions of one Agent, the latest first."""
        query = {"agent_key": key, "organisation": organisation or None}
        with storage_errors():
            found = self._versions.find(query).sort("number", DESCENDING).skip(skip).limit(limit)
            return [version_record(document) async for document in found]

    async def published_of(self, agents: Iterable[AgentRecord]) -> dict[str, VersionRecord]:
        """Return the published version of each Agent that has one, by the Agent's id."""
        ids = {f"{agent.id}:{agent.published}": agent.id for agent in agents if agent.published is not None}
        found = await self._versions_of_ids(ids)
        return {ids[known]: version for known, version in found.items()}

    async def _versions_of_ids(self, ids: Iterable[str]) -> dict[str, VersionRecord]:
        with storage_errors():
            found = self._versions.find({"_id": {"$in": list(ids)}})
            return {document["_id"]: version_record(document) async for document in found}
