"""Vectors of bytes, and the fusion of two orders."""

from math import cos, pi, sin, sqrt
from random import Random

import pytest

from shared.retrieval.fusion import fused
from shared.retrieval.vectors import components, cosine, encoded


def _random(seed: int, size: int = 512) -> list[float]:
    drawn = Random(seed)
    return [drawn.gauss(0, 1) for _ in range(size)]


def _exact(one: list[float], other: list[float]) -> float:
    dot = sum(a * b for a, b in zip(one, other, strict=True))
    return dot / sqrt(sum(a * a for a in one) * sum(b * b for b in other))


def test_components_use_the_whole_byte_and_keep_their_signs() -> None:
    assert list(components(encoded([0.5, -0.25, 0.0]))) == [127, -64, 0]


def test_only_the_direction_is_kept() -> None:
    assert encoded([0.1, 0.2]) == encoded([10.0, 20.0])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_cosine_is_kept_to_a_hundredth(share: float) -> None:
    for seed in range(5):
        one = _random(seed)
        other = [
            a * sin(share * pi / 2) + b * cos(share * pi / 2) for a, b in zip(one, _random(seed + 99), strict=True)
        ]

        assert cosine(encoded(one), encoded(other)) == pytest.approx(_exact(one, other), abs=0.01)


def test_vector_without_a_direction_is_like_nothing() -> None:
    assert cosine(encoded([0.0, 0.0]), encoded([1.0, 0.0])) == 0.0
    assert encoded([]) == b""


def test_item_in_both_orders_comes_before_the_first_of_one() -> None:
    order = [item for item, _ in fused([["a", "b", "c"], ["d", "b"]])]

    assert order[0] == "b"
    assert set(order) == {"a", "b", "c", "d"}


def test_one_order_stays_as_it_is() -> None:
    assert [item for item, _ in fused([["c", "a", "b"]])] == ["c", "a", "b"]
