"""One order out of several, by reciprocal rank: scores of words and of vectors do not compare, but places do."""

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

_DAMPING = 60
"""The usual constant: the first place counts little more than the second, both much more than none."""


def fused(orders: Iterable[Sequence[Item]]) -> list[tuple[Item, float]]:
    """Return every item with its score, the best first; equal scores keep the order in which items were met."""
    scores: dict[Item, float] = {}
    for order in orders:
        for place, item in enumerate(order, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (_DAMPING + place)
    return sorted(scores.items(), key=lambda scored: -scored[1])
