"""Versions of memory blocks and their differences, as the API shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.gateway.views import View
from shared.domain.memory import Action
from shared.domain.text_diff import Part, Piece

Document = Mapping[str, Any]


class AuthorView(View):
    """A person, and the Agent's run and the proposal that he approved, if there was one."""

    user: str
    agent_key: str | None
    run_id: str | None
    proposal_id: str | None


class VersionView(View):
    """One version of a block: what it said, and who made it so, when, how and why."""

    version: int
    fields: dict[str, str]
    at: datetime
    author: AuthorView
    action: Action
    reason: str | None
    undone_proposal_id: str | None
    restored_version: int | None


class VersionList(View):
    versions: list[VersionView]
    next_cursor: str | None


class PieceView(View):
    part: Part
    text: str


class DiffView(View):
    """Two versions, word by word: the fields that differ, each as its pieces in their order."""

    from_version: int
    to_version: int
    fields: dict[str, list[PieceView]]


def version_view(version: Document) -> dict[str, Any]:
    """Return a stored version as it is shown; those of earlier releases say nothing of why, all were approved."""
    return {
        **{name: version[name] for name in ("version", "fields", "at", "author")},
        "action": version.get("action", Action.APPROVED),
        **{name: version.get(name) for name in ("reason", "undone_proposal_id", "restored_version")},
    }


def diff_view(from_version: int, to_version: int, fields: Mapping[str, Sequence[Piece]]) -> dict[str, Any]:
    """Return the difference of two versions as it is shown."""
    shown = {name: [{"part": each.part, "text": each.text} for each in pieces] for name, pieces in fields.items()}
    return {"from_version": from_version, "to_version": to_version, "fields": shown}
