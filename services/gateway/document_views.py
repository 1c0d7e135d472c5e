"""Indexed documents as the API shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.gateway.views import View
from shared.domain.document import Hit


class MentionView(View):
    """A `ticket` or `link` that the text names, from the character `start`."""

    kind: str
    value: str
    start: int


class DocumentView(View):
    """An indexed revision of a document. `id` is its key here, `document_id` what its events call it."""

    id: str
    kind: str
    document_id: str
    project: str
    title: str
    revision: int
    chunks: int
    indexed_at: datetime
    run_id: str | None


class DocumentList(View):
    documents: list[DocumentView]
    next_cursor: str | None


class ChunkView(View):
    """The characters `start` to `end` of the text; `is_embedded` says whether it is found by its meaning, too."""

    start: int
    end: int
    text: str
    is_embedded: bool


class DocumentDetail(DocumentView):
    """With what it mentions, and its chunks in the order of the text."""

    mentions: list[MentionView]
    parts: list[ChunkView]


class HitView(View):
    """A chunk that has words of the question; scores compare within one answer."""

    id: str
    kind: str
    document_id: str
    title: str
    revision: int
    start: int
    end: int
    text: str
    score: float


class HitList(View):
    hits: list[HitView]


def document_view(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document for a list."""
    same = ("kind", "document_id", "project", "title", "revision", "chunks", "run_id")
    return {"id": document["_id"], **{name: document[name] for name in same}, "indexed_at": document["changed_at"]}


def document_detail(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return one document, as it was read with its chunks."""
    return {
        **document_view(document),
        "mentions": document["mentions"],
        "parts": [
            {
                "start": chunk["start"],
                "end": chunk["end"],
                "text": chunk["text"],
                "is_embedded": chunk["space"] is not None,
            }
            for chunk in document["parts"]
        ],
    }


def hit_view(hit: Hit, key: str) -> dict[str, Any]:
    """Return a hit; `key` is that of its document."""
    where = hit.reference
    return {
        "id": key,
        "kind": hit.kind,
        "document_id": hit.document_id,
        "title": where.title,
        "revision": where.revision,
        "start": where.start,
        "end": where.end,
        "text": hit.text,
        "score": hit.score,
    }
