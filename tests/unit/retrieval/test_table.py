"""The vectors of a project in one block."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from shared.domain.document import Filters
from shared.retrieval.table import Table, block_of
from shared.retrieval.vectors import cosine, encoded

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
EAST, NORTH, WEST = encoded([1, 0]), encoded([0, 1]), encoded([-1, 0.1])


def table(**documents: Sequence[bytes]) -> Table:
    return Table({key: block_of("doc", key, 1, AT, dict(enumerate(vectors))) for key, vectors in documents.items()})


def test_nearest_chunk_comes_first_and_is_named_by_document_and_number() -> None:
    assert table(a=[NORTH, WEST], b=[EAST]).nearest(encoded([1, 0.2]), 2, Filters()) == ["b:0", "a:0"]


def test_order_is_that_of_the_exact_cosines() -> None:
    drawn = Random(7)
    vectors = {f"d{number}": encoded([drawn.gauss(0, 1) for _ in range(32)]) for number in range(200)}
    query = encoded([drawn.gauss(0, 1) for _ in range(32)])

    found = table(**{key: [vector] for key, vector in vectors.items()}).nearest(query, 20, Filters())

    exact = sorted((cosine(query, vector) for vector in vectors.values()), reverse=True)[:20]
    assert [cosine(query, vectors[key.removesuffix(":0")]) for key in found] == pytest.approx(exact, abs=1e-4)


def test_numbers_are_those_of_the_chunks_that_have_vectors() -> None:
    blocks = {"a": block_of("doc", "a", 1, AT, {2: EAST, 5: NORTH})}

    assert Table(blocks).nearest(NORTH, 1, Filters()) == ["a:5"]


def test_filtered_rows_are_found_under_their_own_names() -> None:
    blocks = {
        "a": block_of("doc", "a", 1, AT, {0: EAST}),
        "b": block_of("ticket", "b", 1, AT + timedelta(hours=1), {0: WEST, 1: EAST}),
        "c": block_of("doc", "c", 1, AT + timedelta(hours=1), {0: EAST}),
    }

    assert Table(blocks).nearest(EAST, 9, Filters(kinds=("ticket",))) == ["b:1", "b:0"]
    assert Table(blocks).nearest(EAST, 9, Filters(document_ids=("c",))) == ["c:0"]
    assert Table(blocks).nearest(EAST, 9, Filters(kinds=("doc",), since=AT + timedelta(minutes=1))) == ["c:0"]
    assert Table(blocks).nearest(EAST, 9, Filters(kinds=("epic",))) == []


def test_empty_documents_and_an_empty_table_find_nothing() -> None:
    assert Table({}).nearest(EAST, 9, Filters()) == []
    empty = table(a=[])
    assert empty.nearest(EAST, 9, Filters()) == []
    assert empty.neighbours("doc", ["a"], 3) == {}
    assert empty.blocks["a"].version == 1


def test_vector_of_another_length_finds_nothing() -> None:
    assert table(a=[EAST]).nearest(encoded([1, 0, 0]), 9, Filters()) == []


def test_table_grows_from_the_blocks_of_an_earlier_one() -> None:
    first = table(a=[EAST], b=[NORTH])

    second = Table(
        {**first.blocks, "b": block_of("doc", "b", 2, AT, {0: WEST}), "c": block_of("doc", "c", 1, AT, {0: NORTH})}
    )

    assert second.nearest(NORTH, 1, Filters()) == ["c:0"]
    assert second.nearest(WEST, 1, Filters()) == ["b:0"]
    assert second.size_bytes == 6


def test_neighbours_are_counted_by_document_however_many_chunks_are_near() -> None:
    many = [EAST] * 20

    found = table(a=[EAST], b=many, c=[NORTH], d=[WEST]).neighbours("doc", ["a"], 2)

    assert [each.document_id for each in found["a"]] == ["b", "c"]
    assert found["a"][0].similarity == pytest.approx(1.0, abs=1e-4)
