"""Whether two descriptions tell the same particulars: a sentence of rare words that both have."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from infra.offline_model.prose import sentences
from infra.offline_model.wording import said_by_both, stems

_SHARED_FROM = 0.7
_LEAST_WORDS = 3
_NUMBER = re.compile(r"\d+(?:[.]\d+)*")


@dataclass(frozen=True, slots=True)
class Rarity:
    """How many of the texts of one call have each stem."""

    having: Counter[str]
    texts: int

    def weight(self, stems: Iterable[str]) -> float:
        """Return how much the stems tell together: one that only the two compared have, most."""
        others = max(0, self.texts - 2)
        return sum(math.log((others + 2) / (max(0, self.having[each] - 2) + 1)) for each in stems)


def are_shared(one: str, other: str, rarity: Rarity) -> bool:
    """Say whether a sentence of one description is told by the other, too, with the same numbers."""
    theirs = list(sentences(other))
    return any(_is_the_same(mine, each, rarity) for mine in sentences(one) for each in theirs)


def _is_the_same(one: str, other: str, rarity: Rarity) -> bool:
    mine, theirs = stems(one), stems(other)
    if min(len(mine), len(theirs)) < _LEAST_WORDS or set(_NUMBER.findall(one)) != set(_NUMBER.findall(other)):
        return False
    both = said_by_both(mine, theirs)
    shared = min(rarity.weight(mine & both), rarity.weight(theirs & both))
    either = shared + rarity.weight((mine | theirs) - both)
    return either > 0 and shared / either >= _SHARED_FROM
