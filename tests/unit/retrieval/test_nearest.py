"""The nearest of many groups of vectors."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from shared.retrieval.nearest import nearest_groups
from shared.retrieval.vectors import cosine, encoded

if TYPE_CHECKING:
    Vectors = np.ndarray[tuple[int, int], np.dtype[np.int8]]


def group(*vectors: bytes) -> "Vectors":
    return np.frombuffer(b"".join(vectors), dtype=np.int8).reshape(len(vectors), -1)


def likeness(one: Sequence[bytes], other: Sequence[bytes]) -> float:
    return max(cosine(mine, theirs) for mine in one for theirs in other)


def test_groups_are_compared_by_their_nearest_two_vectors() -> None:
    drawn = Random(11)
    groups = [[encoded([drawn.gauss(0, 1) for _ in range(16)]) for _ in range(drawn.randint(1, 4))] for _ in range(60)]
    asked = [0, 7, 59]

    found = list(nearest_groups([group(*each) for each in groups], asked, 5))

    for at, near in zip(asked, found, strict=True):
        exact = sorted((likeness(groups[at], each) for other, each in enumerate(groups) if other != at), reverse=True)
        assert [score for _, score in near] == pytest.approx(exact[:5], abs=1e-5)
        assert [likeness(groups[at], groups[other]) for other, _ in near] == pytest.approx(exact[:5], abs=1e-5)


def test_more_rows_than_are_held_at_once_change_nothing() -> None:
    vectors = [encoded([number + 1.0, 10_000.0 - number]) for number in range(10_000)]
    asked = list(range(0, 10_000, 20))

    found = list(nearest_groups([group(each) for each in vectors], asked, 1))

    assert len(found) == 500
    for at, ((other, score),) in zip(asked, found, strict=True):
        assert other != at
        assert score == pytest.approx(1.0, abs=1e-3)


def test_a_vector_without_direction_is_like_none() -> None:
    east, nowhere = encoded([1, 0]), encoded([0, 0])

    (near,) = nearest_groups([group(nowhere), group(east)], [0], 3)

    assert near == [(1, 0.0)]


def test_one_group_alone_and_none_asked_about_have_no_neighbours() -> None:
    east = group(encoded([1, 0]))

    assert list(nearest_groups([east], [0], 3)) == [[]]
    assert list(nearest_groups([east, east], [], 3)) == []
