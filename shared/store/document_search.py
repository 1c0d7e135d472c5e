"""Chunks as they are looked for: by words, by key, and as the vectors that an index is made of."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING

from shared.domain.document import Filters, Hit, Reference
from shared.store.documents import Place, plain
from shared.store.mongo import Collection, Database, Document, storage_errors

_OVERLAP = timedelta(seconds=10)
"""How far back changes are looked for again: longer than a transaction takes, or than clocks differ."""
_WORD = re.compile(r"\w+")
_MOST_WORDS = 60
_PREVIEW = {"text": 1, "title": 1, "kind": 1, "document_id": 1, "number": 1, "revision": 1, "start": 1, "end": 1}


@dataclass(frozen=True, slots=True)
class State:
    """A document as an index has to know it; `version` grows with every write, also with that of its removal."""

    key: str
    kind: str
    document_id: str
    version: int
    changed_at: datetime
    is_removed: bool


class DocumentSearch:
    """Reads of the collections `documents` and `chunks`, each within one place."""

    def __init__(self, database: Database) -> None:
        self._documents: Collection = database["documents"]
        self._chunks: Collection = database["chunks"]

    async def by_words(self, place: Place, text: str, limit: int, filters: Filters) -> list[str]:
        """Return the keys of the chunks that have most of the words, the best first."""
        words = " ".join(_WORD.findall(text)[:_MOST_WORDS])
        if not words:
            return []
        query = {**place.query, "$text": {"$search": words}, **filtered(filters)}
        score: dict[str, Any] = {"score": {"$meta": "textScore"}}
        with storage_errors():
            found = self._chunks.find(query, {"_id": 1, **score}).sort(list(score.items())).limit(limit)
            return [each["_id"] async for each in found]

    async def hits(self, place: Place, scored: Sequence[tuple[str, float]]) -> list[Hit]:
        """Return the chunks with these keys, in this order; those that are gone meanwhile are left out."""
        query = {**place.query, "_id": {"$in": [key for key, _ in scored]}}
        with storage_errors():
            found = {each["_id"]: each async for each in self._chunks.find(query, _PREVIEW)}
        return [_hit(found[key], score) for key, score in scored if key in found]

    async def changed(self, place: Place, since: datetime | None) -> list[State]:
        """Return the documents that changed since then, and some that changed a little earlier; None is all."""
        query: Document = dict(place.query)
        if since is not None:
            query["changed_at"] = {"$gte": since - _OVERLAP}
        needed = {"kind": 1, "document_id": 1, "version": 1, "changed_at": 1, "removed_at": 1}
        with storage_errors():
            return [_state(each) async for each in self._documents.find(query, needed)]

    async def vectors(
        self, place: Place, space: str, keys: Sequence[str] | None
    ) -> AsyncIterator[tuple[str, int, bytes]]:
        """Yield key, number and vector of the chunks of these documents, or of all, that have one in this space."""
        query: Document = {**place.query, "space": space}
        if keys is not None:
            query["document_key"] = {"$in": list(keys)}
        needed = {"_id": 0, "document_key": 1, "number": 1, "vector": 1}
        with storage_errors():
            async for each in self._chunks.find(query, needed, batch_size=5_000):
                yield each["document_key"], each["number"], plain(each["vector"])

    async def aggregated(self, pipeline: Sequence[Document]) -> list[Document]:
        """Return what a pipeline over the chunks gives."""
        with storage_errors():
            return await self._chunks.aggregate(list(pipeline)).to_list(None)

    async def listed(self, place: Place, kind: str | None, after: Document, limit: int) -> list[Document]:
        """Return documents that are not removed and meet `after`, the one indexed last first."""
        query: Document = {**place.query, "removed_at": None, **after}
        if kind is not None:
            query["kind"] = kind
        order = [("changed_at", DESCENDING), ("_id", DESCENDING)]
        with storage_errors():
            return await self._documents.find(query).sort(order).limit(limit).to_list(limit)

    async def document(self, organisation: str, key: str) -> Document | None:
        """Return one document of an organisation with its chunks but without their vectors; None for none."""
        with storage_errors():
            found = await self._documents.find_one({"_id": key, "organisation": organisation, "removed_at": None})
            if found is None:
                return None
            chunks = self._chunks.find({"document_key": key, "organisation": organisation}, {"vector": 0})
            return {**found, "parts": await chunks.sort("number", ASCENDING).to_list(None)}


def filtered(filters: Filters) -> Document:
    """Return the condition that a chunk passes the filters."""
    query: Document = {}
    if filters.kinds is not None:
        query["kind"] = {"$in": list(filters.kinds)}
    if filters.document_ids is not None:
        query["document_id"] = {"$in": list(filters.document_ids)}
    if filters.since is not None:
        query["indexed_at"] = {"$gte": filters.since}
    return query


def _hit(chunk: Document, score: float) -> Hit:
    reference = Reference(chunk["title"], chunk["revision"], chunk["start"], chunk["end"])
    return Hit(chunk["document_id"], chunk["kind"], chunk["number"], chunk["text"], score, reference)


def _state(document: Document) -> State:
    return State(
        key=document["_id"],
        kind=document["kind"],
        document_id=document["document_id"],
        version=document["version"],
        changed_at=document["changed_at"],
        is_removed=document["removed_at"] is not None,
    )
