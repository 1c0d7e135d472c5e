"""The pipelines and the index of MongoDB Atlas Vector Search over the collection `chunks`."""

from typing import Any

from shared.domain.document import Filters
from shared.store.document_search import filtered
from shared.store.documents import Place, as_vector
from shared.store.mongo import Document

INDEX = "chunks_by_vector"
_FILTERED = ("organisation", "project", "space", "kind", "document_id", "indexed_at")
_CANDIDATES_FACTOR = 20
_MOST_CANDIDATES = 10_000


def index_definition(dimensions: int) -> Document:
    """Return the search index that the pipelines need, for vectors of this length, as `createSearchIndexes` takes it."""
    vector: Document = {"type": "vector", "path": "vector", "numDimensions": dimensions, "similarity": "cosine"}
    filters: list[Document] = [{"type": "filter", "path": path} for path in _FILTERED]
    return {"name": INDEX, "type": "vectorSearch", "definition": {"fields": [vector, *filters]}}


def nearest(place: Place, space: str, vector: bytes, limit: int, filters: Filters) -> list[Document]:
    """Return the pipeline that gives the nearest chunks of the place: key, document and score, the nearest first."""
    condition: dict[str, Any] = {**place.query, "space": space, **filtered(filters)}
    search = {
        "index": INDEX,
        "path": "vector",
        "queryVector": as_vector(vector),
        "numCandidates": min(_MOST_CANDIDATES, limit * _CANDIDATES_FACTOR),
        "limit": limit,
        # Every condition by itself, because not all operators may stand side by side in a filter.
        "filter": {"$and": [{name: wanted} for name, wanted in condition.items()]},
    }
    found = {"_id": 1, "document_id": 1, "score": {"$meta": "vectorSearchScore"}}
    return [{"$vectorSearch": search}, {"$project": found}]


def cosine(score: float) -> float:
    """Return the cosine that Atlas tells as a score from 0 to 1."""
    return 2 * score - 1
