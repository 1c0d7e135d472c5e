"""Retrieval on MongoDB, whatever compares the vectors."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.domain.document import Document, Filters, Hit, Neighbour
from shared.retrieval.fusion import fused
from shared.store.document_search import DocumentSearch
from shared.store.documents import DocumentStore, Place

_LEAST_POOL = 50
_POOL_FACTOR = 4


class VectorSearch(Protocol):
    """Compares vectors of the chunks that are stored."""

    async def nearest(self, place: Place, vector: bytes, limit: int, filters: Filters) -> Sequence[str]:
        """Return the keys of the nearest chunks that pass the filters, the nearest first."""
        ...

    async def neighbours(
        self, place: Place, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Return for each document that has vectors the nearest others of its kind, the nearest first."""
        ...


class StoredRetrieval:
    """Documents in MongoDB, found by its text index and by a `VectorSearch`."""

    def __init__(self, store: DocumentStore, search: DocumentSearch, vectors: VectorSearch) -> None:
        self._store = store
        self._search = search
        self._vectors = vectors

    async def known(self, organisation: str, project: str, texts: Sequence[str]) -> Mapping[str, bytes]:
        """Return the vectors of the texts that are chunks of the project already."""
        return await self._store.known(Place(organisation, project), texts)

    async def index(self, organisation: str, project: str, documents: Sequence[Document]) -> Sequence[str]:
        """Store documents, 50 of them in a transaction."""
        return await self._store.put(Place(organisation, project), documents)

    async def remove(self, organisation: str, project: str, kind: str, revisions: Mapping[str, int]) -> int:
        """Remove documents, all in one transaction."""
        return await self._store.remove(Place(organisation, project), kind, revisions)

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
        """Fuse the best by words and the best by meaning, each four times as many as are wanted."""
        place, chosen, pool = Place(organisation, project), filters or Filters(), max(_LEAST_POOL, _POOL_FACTOR * limit)
        orders: list[Sequence[str]] = []
        if text is not None:
            orders.append(await self._search.by_words(place, text, pool, chosen))
        if vector is not None:
            orders.append(await self._vectors.nearest(place, vector, pool, chosen))
        return await self._search.hits(place, fused(orders)[:limit])

    async def neighbours(
        self, organisation: str, project: str, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Return for each document the nearest others of its kind."""
        return await self._vectors.neighbours(Place(organisation, project), kind, document_ids, limit)
