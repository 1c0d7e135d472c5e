"""Agents, their immutable versions, and which one is published."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from enum import StrEnum

import structlog
from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from contracts.agent_kinds import AgentStatus
from contracts.agents import AgentSpec
from shared.domain.agent_id import agent_id
from shared.domain.configuration import AgentVersion
from shared.domain.replaying import DRAFT, replay_of_version
from shared.domain.schedule_warnings import schedule_warnings
from shared.errors import Conflict
from shared.store.agent_documents import Origin, spec_of, version_document
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.revision import Revision

log = structlog.get_logger()

AGENT_INDEXES = [IndexModel([("organisation", ASCENDING)], name="by_organisation")]
VERSION_INDEXES = [
    IndexModel([("agent_key", ASCENDING), ("organisation", ASCENDING), ("number", DESCENDING)], name="of_agent")
]


class Seeding(StrEnum):
    """What seeding a built-in Agent came to."""

    CREATED = "created"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    KEPT_ADMINS = "kept_admins"


class VersionTaken(Conflict):
    """Somebody else published a version of the Agent at the same moment."""

    code = "agent_version_taken"


class AgentStore:
    """The `agents` collection (which version is published) and `agent_versions` (what each one says).

    An organisation's own Agents have ids of their own, so that one may have the key of a server's.
    """

    def __init__(self, database: Database) -> None:
        self._agents: Collection = database["agents"]
        self._versions: Collection = database["agent_versions"]
        self._replays: Collection = database["replays"]
        self._revision = Revision(database)
        self._known: dict[str, AgentVersion] = {}

    async def seed(self, spec: AgentSpec, now: datetime) -> Seeding:
        """Publish a built-in Agent when it is new or differs from the last one seeded.

        Never over a version that an admin published; the new one is then only kept for comparison.
        """
        content_hash = spec.content_hash()
        agent = await self._agent(spec.key)
        if agent is None or agent["published"] is None:
            first = version_document(spec, 1, Origin.BUILT_IN, "system", now)
            await self._publish(first, starts_inactive=not spec.auto_start)
            return Seeding.CREATED
        if agent["seeded_hash"] == content_hash:
            return Seeding.UNCHANGED
        if agent["origin"] == Origin.ADMIN:
            with storage_errors():
                await self._agents.update_one({"_id": spec.key}, {"$set": {"seeded_hash": content_hash}})
            return Seeding.KEPT_ADMINS
        await self._publish(version_document(spec, agent["published"] + 1, Origin.BUILT_IN, "system", now))
        return Seeding.REFRESHED

    async def publish(
        self, spec: AgentSpec, author: str, now: datetime, *, organisation: str = "", note: str = ""
    ) -> AgentVersion:
        """Publish a version of an admin's as the next one, or raise VersionTaken; ends the archiving of the Agent.

        What is published already is returned as it is.
        """
        agent = await self._agent(agent_id(organisation, spec.key))
        published = 0 if agent is None else agent["published"] or 0
        if agent is not None and agent.get("archived_at") is None and agent.get("content_hash") == spec.content_hash():
            return AgentVersion(published, spec, organisation)
        wanted = version_document(spec, published + 1, Origin.ADMIN, author, now, organisation=organisation, note=note)
        is_new = published == 0 or (agent is not None and agent.get("archived_at") is not None)
        stored = await self._publish(wanted, starts_inactive=is_new and not spec.auto_start)
        if stored["content_hash"] != wanted["content_hash"]:
            raise VersionTaken(
                f"{stored['author']} published version {stored['number']} of '{spec.key}' at the same moment:"
                " look at it, and publish yours again.",
                agent_key=spec.key,
                number=stored["number"],
            )
        return AgentVersion(published + 1, spec, organisation)

    async def _agent(self, id: str) -> Document | None:
        with storage_errors():
            return await self._agents.find_one({"_id": id})

    async def _publish(self, version: Document, *, starts_inactive: bool = False) -> Document:
        """Have this version published, or the one that another process inserted first; return what is.

        An Agent that starts inactive becomes so in the same write.
        """
        with storage_errors():
            try:
                await self._versions.insert_one(version)
            except DuplicateKeyError:
                version = await self._versions.find_one({"_id": version["_id"]}) or version
            with suppress(DuplicateKeyError):
                await self._agents.update_one(
                    *_point_to(version, starts_inactive=starts_inactive), upsert=version["number"] == 1
                )
        await self._revision.advance()
        for warning in schedule_warnings(spec_of(version)):
            log.warning("schedule.doubted", agent=version["agent_key"], version=version["number"], warning=warning)
        return version

    async def published(self) -> list[AgentVersion]:
        """Return the published version of every Agent, of the server and of all organisations."""
        with storage_errors():
            found = self._agents.find({"published": {"$ne": None}, "archived_at": None})
            ids = [f"{agent['_id']}:{agent['published']}" async for agent in found]
        self._known = await self._versions_of(ids)
        return list(self._known.values())

    async def _versions_of(self, ids: Sequence[str]) -> dict[str, AgentVersion]:
        """Return versions by their ids. They never change, so that only those not known yet are read."""
        known = {id_: self._known[id_] for id_ in ids if id_ in self._known}
        new = [id_ for id_ in ids if id_ not in known]
        if new:
            with storage_errors():
                async for document in self._versions.find({"_id": {"$in": new}}):
                    known[document["_id"]] = _version_of(document)
        return known

    async def statuses(self) -> dict[str, AgentStatus]:
        """Return the status of every Agent that has one, by its id; all others are active."""
        with storage_errors():
            found = self._agents.find({"status": {"$exists": True}})
            return {agent["_id"]: AgentStatus(agent["status"]) async for agent in found}

    async def version_of_id(self, id: str) -> AgentVersion | None:
        """Return the version that a run is pinned to; that of a replayed draft is kept by its replay."""
        replay = replay_of_version(id)
        if replay is not None:
            return await self._replayed_draft(replay)
        with storage_errors():
            document = await self._versions.find_one({"_id": id})
        return None if document is None else _version_of(document)

    async def _replayed_draft(self, replay: str) -> AgentVersion | None:
        with storage_errors():
            found = await self._replays.find_one({"_id": replay, "draft_json": {"$ne": None}})
        if found is None:
            return None
        return AgentVersion(
            DRAFT, AgentSpec.model_validate_json(found["draft_json"]), found["agent_id"].rpartition("/")[0]
        )


def _point_to(version: Document, *, starts_inactive: bool) -> tuple[Document, Document]:
    """Return the query and the change that make this version the published one, never over a later one."""
    number, is_built_in = version["number"], version["origin"] == Origin.BUILT_IN
    organisation = version.get("organisation")
    published = {"published": number, "origin": version["origin"], "content_hash": version["content_hash"]}
    if is_built_in:
        published["seeded_hash"] = version["content_hash"]
    if organisation:
        published["organisation"] = organisation
    if starts_inactive:
        published["status"] = AgentStatus.INACTIVE
    created = {} if is_built_in else {"seeded_hash": ""}
    created |= {"created_at": version["published_at"], "created_by": version["author"]}
    change: Document = {"$set": published, "$setOnInsert": created}
    if not is_built_in:
        change["$unset"] = {"archived_at": "", "archived_by": ""}
    query = {
        "_id": agent_id(organisation or "", version["agent_key"]),
        "$or": [{"published": {"$lt": number}}, {"published": None}],
    }
    return query, change


def _version_of(document: Document) -> AgentVersion:
    return AgentVersion(document["number"], spec_of(document), document.get("organisation") or "")
