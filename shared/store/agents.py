"""Agents, their immutable versions, and which one is published."""

from contextlib import suppress
from datetime import datetime
from enum import StrEnum

import orjson
import structlog
from pymongo.errors import DuplicateKeyError

from contracts.agents import AgentSpec
from shared.domain.configuration import AgentVersion
from shared.domain.schedule_warnings import schedule_warnings
from shared.store.mongo import Collection, Database, Document, storage_errors
from shared.store.revision import Revision

log = structlog.get_logger()


class Origin(StrEnum):
    """Who published a version."""

    BUILT_IN = "built_in"
    ADMIN = "admin"


class Seeding(StrEnum):
    """What seeding a built-in Agent came to."""

    CREATED = "created"
    REFRESHED = "refreshed"
    UNCHANGED = "unchanged"
    KEPT_ADMINS = "kept_admins"


class AgentStore:
    """The `agents` collection (which version is published) and `agent_versions` (what each one says)."""

    def __init__(self, database: Database) -> None:
        self._agents: Collection = database["agents"]
        self._versions: Collection = database["agent_versions"]
        self._revision = Revision(database)

    async def seed(self, spec: AgentSpec, now: datetime) -> Seeding:
        """Publish a built-in Agent when it is new or differs from the last one seeded.

        Never over a version that an admin published; the new one is then only kept for comparison.
        """
        content_hash = spec.content_hash()
        with storage_errors():
            agent = await self._agents.find_one({"_id": spec.key})
        if agent is None:
            await self._publish(spec, 1, Origin.BUILT_IN, "system", now)
            return Seeding.CREATED
        if agent["seeded_hash"] == content_hash:
            return Seeding.UNCHANGED
        if agent["origin"] == Origin.ADMIN:
            with storage_errors():
                await self._agents.update_one({"_id": spec.key}, {"$set": {"seeded_hash": content_hash}})
            return Seeding.KEPT_ADMINS
        await self._publish(spec, agent["published"] + 1, Origin.BUILT_IN, "system", now)
        return Seeding.REFRESHED

    async def publish(self, spec: AgentSpec, author: str, now: datetime) -> AgentVersion:
        """Publish a version of an admin's as the next one."""
        with storage_errors():
            agent = await self._agents.find_one({"_id": spec.key})
        number = 1 if agent is None else agent["published"] + 1
        await self._publish(spec, number, Origin.ADMIN, author, now)
        return AgentVersion(number, spec)

    async def _publish(self, spec: AgentSpec, number: int, origin: Origin, author: str, now: datetime) -> None:
        version: Document = {
            "_id": _version_id(spec.key, number),
            "agent_key": spec.key,
            "number": number,
            "origin": origin,
            "author": author,
            "published_at": now,
            "content_hash": spec.content_hash(),
            "spec_json": orjson.dumps(spec.model_dump(mode="json")).decode(),
        }
        with storage_errors():
            # Two processes may publish at once: the one that inserted the version decides what it says.
            try:
                await self._versions.insert_one(version)
            except DuplicateKeyError:
                version = await self._versions.find_one({"_id": version["_id"]}) or version
            published = {"published": number, "origin": version["origin"], "content_hash": version["content_hash"]}
            is_built_in = version["origin"] == Origin.BUILT_IN
            if is_built_in:
                published["seeded_hash"] = version["content_hash"]
            with suppress(DuplicateKeyError):
                await self._agents.update_one(
                    {"_id": spec.key, "$or": [{"published": {"$lt": number}}, {"published": None}]},
                    {"$set": published, "$setOnInsert": {} if is_built_in else {"seeded_hash": ""}},
                    upsert=number == 1,
                )
        await self._revision.advance()
        for warning in schedule_warnings(spec):
            log.warning("schedule.doubted", agent=spec.key, version=number, warning=warning)

    async def published(self) -> list[AgentVersion]:
        """Return the published version of every Agent."""
        with storage_errors():
            ids = [_version_id(agent["_id"], agent["published"]) async for agent in self._agents.find({})]
            return [_version_of(document) async for document in self._versions.find({"_id": {"$in": ids}})]

    async def version(self, key: str, number: int) -> AgentVersion | None:
        """Return one version, published or not."""
        with storage_errors():
            document = await self._versions.find_one({"_id": _version_id(key, number)})
        return None if document is None else _version_of(document)


def _version_id(key: str, number: int) -> str:
    return f"{key}:{number}"


def _version_of(document: Document) -> AgentVersion:
    return AgentVersion(document["number"], AgentSpec.model_validate_json(document["spec_json"]))
