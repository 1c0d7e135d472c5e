"""Documents in memory, compared one by one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.clock import Clock
from shared.retrieval.fusion import fused
from shared.retrieval.port import Chunk, Document, Filters, Hit, Neighbour, Reference
from shared.retrieval.vectors import cosine

_Key = tuple[str, str]
"""Kind and id."""


@dataclass(slots=True)
class _Project:
    documents: dict[_Key, tuple[Document, datetime]] = field(default_factory=dict)
    removed: dict[_Key, int] = field(default_factory=dict)

    def latest(self, key: _Key) -> int:
        stored = self.documents[key][0].revision if key in self.documents else -1
        return max(stored, self.removed.get(key, -1))


class MemoryRetrieval:
    """The same answers as from a database, for as long as the process lives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._projects: dict[tuple[str, str], _Project] = {}

    async def known(self, organisation: str, project: str, texts: Sequence[str]) -> Mapping[str, bytes]:
        """Return the vectors of chunks with these texts."""
        stored = (chunk for document, _ in self._documents(organisation, project) for chunk in document.chunks)
        vectors = {chunk.text: chunk.vector for chunk in stored if chunk.vector is not None}
        return {text: vectors[text] for text in texts if text in vectors}

    async def index(self, organisation: str, project: str, documents: Sequence[Document]) -> Sequence[str]:
        """Store documents of which no later revision is known."""
        place, stored = self._projects.setdefault((organisation, project), _Project()), []
        for document in documents:
            key = document.kind, document.id
            if document.revision >= place.latest(key) and place.removed.get(key, -1) < document.revision:
                place.documents[key] = document, self._clock()
                stored.append(document.id)
        return stored

    async def remove(self, organisation: str, project: str, kind: str, revisions: Mapping[str, int]) -> int:
        """Remove documents, and remember up to which revision."""
        place, gone = self._projects.setdefault((organisation, project), _Project()), 0
        for id_, revision in revisions.items():
            if revision >= place.latest((kind, id_)):
                place.removed[kind, id_] = revision
                removed = place.documents.pop((kind, id_), None)
                gone += len(removed[0].chunks) if removed else 0
        return gone

    async def search(
        self,
        organisation: str,
        project: str,
        limit: int,
        *,
        text: str | None = None,
        vector: bytes | None = None,
        filters: Filters | None = None,
    ) -> Sequence[Hit]:
        """Compare every chunk."""
        found = [each for each in self._documents(organisation, project) if _passes(each, filters or Filters())]
        hits = [_hit(document, number) for document, _ in found for number in range(len(document.chunks))]
        orders = []
        if text is not None:
            orders.append(_ranked((hit, float(_words(text, hit.text))) for hit in hits))
        if vector is not None:
            vectors = [chunk.vector for document, _ in found for chunk in document.chunks]
            near = zip(hits, vectors, strict=True)
            orders.append(_ranked((hit, cosine(vector, other) + 2) for hit, other in near if other is not None))
        return [_scored(hit, score) for hit, score in fused(orders)][:limit]

    async def neighbours(
        self, organisation: str, project: str, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Compare every chunk of each document with those of every other."""
        stored = {
            document.id: document for document, _ in self._documents(organisation, project) if document.kind == kind
        }
        return {
            id_: _nearest(stored[id_], [other for other in stored.values() if other.id != id_])[:limit]
            for id_ in document_ids
            if id_ in stored
        }

    def _documents(self, organisation: str, project: str) -> Iterable[tuple[Document, datetime]]:
        return self._projects.get((organisation, project), _Project()).documents.values()


def _passes(stored: tuple[Document, datetime], filters: Filters) -> bool:
    document, indexed_at = stored
    return (
        (filters.kinds is None or document.kind in filters.kinds)
        and (filters.document_ids is None or document.id in filters.document_ids)
        and (filters.since is None or indexed_at >= filters.since)
    )


def _hit(document: Document, number: int) -> Hit:
    chunk: Chunk = document.chunks[number]
    reference = Reference(document.title, document.revision, chunk.start, chunk.end)
    return Hit(document.id, document.kind, number, chunk.text, 0.0, reference)


def _scored(hit: Hit, score: float) -> Hit:
    return Hit(hit.document_id, hit.kind, hit.chunk, hit.text, score, hit.reference)


def _ranked(scored: Iterable[tuple[Hit, float]]) -> list[Hit]:
    return [hit for hit, score in sorted(scored, key=lambda each: -each[1]) if score > 0]


def _words(query: str, text: str) -> int:
    return len(_in(query) & _in(text))


def _in(text: str) -> set[str]:
    return {word.strip(".,:;!?").lower() for word in text.split()}


def _nearest(document: Document, others: Iterable[Document]) -> list[Neighbour]:
    found = []
    for other in others:
        similarities = [
            cosine(one.vector, two.vector)
            for one in document.chunks
            for two in other.chunks
            if one.vector is not None and two.vector is not None
        ]
        if similarities:
            found.append(Neighbour(other.id, max(similarities)))
    return sorted(found, key=lambda neighbour: -neighbour.similarity)
