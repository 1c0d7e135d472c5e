"""Agents and their versions as they are stored, and as they are read for people."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson

from contracts.agent_kinds import AgentStatus
from contracts.agents import AgentSpec
from shared.domain.agent_id import version_id
from shared.store.mongo import Document


class Origin(StrEnum):
    """Who published a version."""

    BUILT_IN = "built_in"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to become the next version. It may be incomplete, so it is JSON, not a specification."""

    content: Document
    saved_by: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """One immutable version with its history. `organisation` is empty for the server's."""

    organisation: str
    number: int
    spec: AgentSpec
    origin: Origin
    author: str
    note: str
    published_at: datetime
    content_hash: str


@dataclass(frozen=True, slots=True)
class PlannedStatus:
    """A status that the Agent is to have from a moment to come on, with who wanted that, when and why."""

    id: str
    status: AgentStatus
    at: datetime
    by: str
    requested_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """One Agent: `published` is the number of its published version, None while there is only a draft."""

    id: str
    organisation: str
    key: str
    status: AgentStatus
    published: int | None
    draft: Draft | None
    created_at: datetime | None
    created_by: str | None
    archived_at: datetime | None
    archived_by: str | None
    planned: PlannedStatus | None = None

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


def version_document(
    spec: AgentSpec,
    number: int,
    origin: Origin,
    author: str,
    now: datetime,
    *,
    organisation: str = "",
    note: str = "",
) -> Document:
    """Return a version as it is stored; one of the server's names no organisation."""
    document: Document = {
        "_id": version_id(organisation, spec.key, number),
        "agent_key": spec.key,
        "number": number,
        "origin": origin,
        "author": author,
        "note": note,
        "published_at": now,
        "content_hash": spec.content_hash(),
        "spec_json": orjson.dumps(spec.model_dump(mode="json")).decode(),
    }
    return {**document, "organisation": organisation} if organisation else document


def spec_of(version: Document) -> AgentSpec:
    return AgentSpec.model_validate_json(version["spec_json"])


def version_record(document: Document) -> VersionRecord:
    return VersionRecord(
        organisation=document.get("organisation") or "",
        number=document["number"],
        spec=spec_of(document),
        origin=Origin(document["origin"]),
        author=document["author"],
        note=document.get("note", ""),
        published_at=document["published_at"],
        content_hash=document["content_hash"],
    )


def planned_status(document: Document) -> PlannedStatus:
    return PlannedStatus(**{**document, "status": AgentStatus(document["status"])})


def agent_record(document: Document) -> AgentRecord:
    draft, planned = document.get("draft"), document.get("planned_status")
    return AgentRecord(
        id=document["_id"],
        organisation=document.get("organisation") or "",
        key=document["_id"].rpartition("/")[2],
        status=AgentStatus(document.get("status", AgentStatus.ACTIVE)),
        published=document["published"],
        draft=None if draft is None else Draft(orjson.loads(draft["json"]), draft["saved_by"], draft["saved_at"]),
        created_at=document.get("created_at"),
        created_by=document.get("created_by"),
        archived_at=document.get("archived_at"),
        archived_by=document.get("archived_by"),
        planned=None if planned is None else planned_status(planned),
    )
