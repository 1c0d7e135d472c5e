"""What is sent to MongoDB Atlas, and how its answers are read."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

from bson.binary import Binary, BinaryVectorDtype

from shared.domain.document import Filters
from shared.retrieval.atlas import AtlasVectors
from shared.retrieval.vectors import encoded
from shared.store import atlas
from shared.store.documents import Place

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PLACE = Place("acme", "apollo")
EAST = encoded([1.0, 0.0])


class Search:
    """Keeps the pipelines, and gives the same answer to each."""

    def __init__(self, *answer: dict[str, Any]) -> None:
        self.pipelines: list[Sequence[dict[str, Any]]] = []
        self._answer = list(answer)

    async def aggregated(self, pipeline: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        self.pipelines.append(pipeline)
        return self._answer

    async def vectors(self, place: Place, space: str, keys: Sequence[str]) -> AsyncIterator[tuple[str, int, bytes]]:
        for key in keys:
            yield key, 0, EAST


def vectors(search: Any) -> AtlasVectors:
    return AtlasVectors(search, "a-model/2")


def test_pipeline_stays_in_its_place_and_in_its_space() -> None:
    search, project = atlas.nearest(PLACE, "a-model/2", EAST, 10, Filters(kinds=("doc",), since=AT))

    asked = search["$vectorSearch"]
    assert asked["filter"]["$and"] == [
        {"organisation": "acme"},
        {"project": "apollo"},
        {"space": "a-model/2"},
        {"kind": {"$in": ["doc"]}},
        {"indexed_at": {"$gte": AT}},
    ]
    assert (asked["limit"], asked["numCandidates"]) == (10, 200)
    assert project == {"$project": {"_id": 1, "document_id": 1, "score": {"$meta": "vectorSearchScore"}}}


def test_vectors_are_sent_as_bson_vectors_of_signed_bytes() -> None:
    query: Binary = atlas.nearest(PLACE, "a-model/2", encoded([0.5, -1.0]), 1, Filters())[0]["$vectorSearch"][
        "queryVector"
    ]

    assert query == Binary.from_vector([64, -127], BinaryVectorDtype.INT8)


def test_every_path_that_is_filtered_is_in_the_index() -> None:
    everything = Filters(kinds=("doc",), document_ids=("d1",), since=AT)
    asked = atlas.nearest(PLACE, "a-model/2", EAST, 1, everything)[0]["$vectorSearch"]

    fields = atlas.index_definition(2)["definition"]["fields"]

    filtered = {name for condition in asked["filter"]["$and"] for name in condition}
    assert {field["path"] for field in fields if field["type"] == "filter"} == filtered
    assert [(field["path"], field["numDimensions"]) for field in fields if field["type"] == "vector"] == [("vector", 2)]
    assert asked["index"] == atlas.index_definition(2)["name"]


async def test_nearest_are_the_keys_in_the_order_of_the_answer() -> None:
    search = Search({"_id": "k2:0", "score": 0.9}, {"_id": "k1:3", "score": 0.8})

    assert await vectors(search).nearest(PLACE, EAST, 2, Filters()) == ["k2:0", "k1:3"]


async def test_vector_without_a_direction_is_not_asked_for() -> None:
    search = Search()

    assert await vectors(search).nearest(PLACE, encoded([0.0, 0.0]), 2, Filters()) == []
    assert search.pipelines == []


async def test_neighbours_are_other_documents_by_their_best_chunk() -> None:
    search = Search(
        {"_id": "k1:0", "document_id": "t1", "score": 1.0},
        {"_id": "k2:1", "document_id": "t2", "score": 0.75},
        {"_id": "k3:0", "document_id": "t3", "score": 0.95},
        {"_id": "k2:0", "document_id": "t2", "score": 0.97},
    )

    found = await vectors(search).neighbours(PLACE, "ticket", ["t1"], 2)

    assert [(each.document_id, round(each.similarity, 3)) for each in found["t1"]] == [("t2", 0.94), ("t3", 0.9)]
    assert {"kind": {"$in": ["ticket"]}} in search.pipelines[0][0]["$vectorSearch"]["filter"]["$and"]
