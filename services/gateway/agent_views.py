"""Agents and their versions as the API shows them. The classes document the answers; the functions make them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from contracts.agents import AgentSpec
from contracts.errors import FieldError
from services.gateway.agent_access import visibility_of
from services.gateway.views import View
from shared.domain.comparison import Change
from shared.store.agent_documents import AgentRecord, PlannedStatus, VersionRecord

Document = dict[str, Any]

_SUMMARY = ("name", "description", "agent_type", "category", "tags", "priority_level")


class VersionView(View):
    """One immutable version: who published it, when and why."""

    number: int
    author: str
    origin: str
    note: str
    published_at: datetime
    content_hash: str


class VersionDetail(VersionView):
    """A version with its configuration, all defaults filled in."""

    configuration: dict[str, Any]


class VersionList(View):
    versions: list[VersionView]


class DraftView(View):
    """What is to become the next version, as it was saved; it may be incomplete."""

    content: dict[str, Any]
    saved_by: str
    saved_at: datetime


class PlannedStatusView(View):
    """A status that the Agent is to have from `at` on, with who wanted that, when and why."""

    status: str
    at: datetime
    by: str
    requested_at: datetime
    reason: str


class AgentSummary(View):
    """An Agent as the list shows it; of one that was never published, what its draft says."""

    key: str
    visibility: str
    status: str
    name: str
    description: str
    agent_type: str
    category: str
    tags: list[str]
    priority_level: str
    published: VersionView | None
    has_draft: bool
    created_at: datetime | None
    created_by: str | None
    archived_at: datetime | None
    archived_by: str | None
    planned_status: PlannedStatusView | None


class AgentDetail(AgentSummary):
    """An Agent with its published configuration, and its draft for those who may write it."""

    configuration: dict[str, Any] | None
    draft: DraftView | None


class AgentList(View):
    agents: list[AgentSummary]
    total: int
    skip: int
    limit: int


class AgentTypes(View):
    agent_types: list[str]
    statuses: list[str]
    priority_levels: list[str]
    visibilities: list[str]


class AgentStats(View):
    """How many Agents the caller sees, by what sorts them."""

    total: int
    drafts: int
    by_status: dict[str, int]
    by_agent_type: dict[str, int]
    by_category: dict[str, int]
    by_priority_level: dict[str, int]


class FieldErrorView(View):
    """One wrong field, by its dotted path; `limit` is the bound that was passed, or what is allowed."""

    field: str
    code: str
    message: str
    limit: int | float | str | None


class ChangeView(View):
    """One field that differs, by its dotted path; null where it is not there."""

    field: str
    old: Any
    new: Any


class CheckAnswer(View):
    """Whether it can be published, and what would change; `published` is the version it is compared with."""

    valid: bool
    errors: list[FieldErrorView]
    published: int | None
    content_hash: str | None
    changes: list[ChangeView]


class ComparisonAnswer(View):
    old: VersionView
    new: VersionView
    changes: list[ChangeView]


class Publication(View):
    """The version that is published now; `changed` is false when it was before."""

    changed: bool
    version: VersionView


def version_view(version: VersionRecord) -> Document:
    return {
        "number": version.number,
        "author": version.author,
        "origin": version.origin,
        "note": version.note,
        "published_at": version.published_at,
        "content_hash": version.content_hash,
    }


def version_detail(version: VersionRecord) -> Document:
    return {**version_view(version), "configuration": configuration(version.spec)}


def configuration(spec: AgentSpec) -> Document:
    """Return an Agent version as JSON with all its fields."""
    return spec.model_dump(mode="json")


def agent_summary(agent: AgentRecord, version: VersionRecord | None, *, shows_draft: bool) -> Document:
    content = _content(agent, version)
    return {
        "key": agent.key,
        "visibility": visibility_of(agent).value,
        "status": agent.status.value,
        **{name: content[name] for name in _SUMMARY},
        "published": None if version is None else version_view(version),
        "has_draft": agent.draft is not None and shows_draft,
        "created_at": agent.created_at,
        "created_by": agent.created_by,
        "archived_at": agent.archived_at,
        "archived_by": agent.archived_by,
        "planned_status": planned_view(agent.planned),
    }


def planned_view(planned: PlannedStatus | None) -> Document | None:
    if planned is None:
        return None
    return {name: value for name, value in asdict(planned).items() if name != "id"}


def agent_detail(agent: AgentRecord, version: VersionRecord | None, *, shows_draft: bool) -> Document:
    return {
        **agent_summary(agent, version, shows_draft=shows_draft),
        "configuration": None if version is None else configuration(version.spec),
        "draft": asdict(agent.draft) if agent.draft is not None and shows_draft else None,
    }


def _content(agent: AgentRecord, version: VersionRecord | None) -> Document:
    """Return what sorts the Agent; of a draft each field that can be read, and the default of any other."""
    if version is not None:
        return configuration(version.spec)
    content = configuration(AgentSpec(key=agent.key, name=agent.key))
    for name in _SUMMARY:
        if agent.draft is not None and name in agent.draft.content:
            try:
                spec = AgentSpec.model_validate({"key": agent.key, "name": agent.key, name: agent.draft.content[name]})
            except ValueError:
                continue
            content[name] = configuration(spec)[name]
    return content


def change_views(changes: Iterable[Change]) -> list[Document]:
    return [asdict(change) for change in changes]


def error_views(errors: Iterable[FieldError]) -> list[Document]:
    return [asdict(error) for error in errors]


def stats_view(summaries: list[Document]) -> Document:
    """Count what the list shows."""
    counts: dict[str, dict[str, int]] = {}
    for name in ("status", "agent_type", "category", "priority_level"):
        counted = counts.setdefault(f"by_{name}", {})
        for summary in summaries:
            counted[summary[name]] = counted.get(summary[name], 0) + 1
    return {"total": len(summaries), "drafts": sum(summary["has_draft"] for summary in summaries), **counts}
