"""Vectors compared by MongoDB Atlas Vector Search, where a search index over the chunks exists."""

from collections.abc import Mapping, Sequence

from shared.domain.document import Filters, Neighbour
from shared.retrieval.vectors import components
from shared.store import atlas
from shared.store.document_search import DocumentSearch
from shared.store.documents import Place

_MOST_CANDIDATES = 10_000


class AtlasVectors:
    """Sends `$vectorSearch` pipelines. A change is found once Atlas has indexed it, some seconds later."""

    def __init__(self, search: DocumentSearch, space: str | None) -> None:
        self._search = search
        self._space = space

    async def nearest(self, place: Place, vector: bytes, limit: int, filters: Filters) -> Sequence[str]:
        """Return the keys of the nearest chunks, the nearest first."""
        if self._space is None or not any(components(vector)):
            return []
        found = await self._search.aggregated(atlas.nearest(place, self._space, vector, limit, filters))
        return [each["_id"] for each in found]

    async def neighbours(
        self, place: Place, kind: str, document_ids: Sequence[str], limit: int
    ) -> Mapping[str, Sequence[Neighbour]]:
        """Ask once for each chunk of each document."""
        if self._space is None:
            return {}
        vectors: dict[str, list[bytes]] = {}
        keys = {place.key(kind, id_): id_ for id_ in document_ids}
        async for key, _, vector in self._search.vectors(place, self._space, list(keys)):
            vectors.setdefault(keys[key], []).append(vector)
        return {id_: await self._neighbours_of(place, kind, id_, of, limit) for id_, of in vectors.items()}

    async def _neighbours_of(
        self, place: Place, kind: str, document_id: str, vectors: Sequence[bytes], limit: int
    ) -> Sequence[Neighbour]:
        if self._space is None:
            return []
        best: dict[str, float] = {}
        count = min(_MOST_CANDIDATES, (limit + 1) * max(4, len(vectors)))
        for vector in vectors:
            pipeline = atlas.nearest(place, self._space, vector, count, Filters(kinds=(kind,)))
            for each in await self._search.aggregated(pipeline):
                if each["document_id"] != document_id:
                    best[each["document_id"]] = max(best.get(each["document_id"], -1.0), atlas.cosine(each["score"]))
        nearest = sorted(best.items(), key=lambda each: -each[1])[:limit]
        return [Neighbour(id_, similarity) for id_, similarity in nearest]
