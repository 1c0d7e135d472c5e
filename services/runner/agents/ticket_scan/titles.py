"""How surprising it is that two titles share the words that they share. Pure."""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.runner.agents.ticket_scan.words import title_words
from shared.domain.ticket import PairKey, Ticket

_PAIRS_PER_TICKET = 8


def pairs_by_titles(tickets: Mapping[str, Ticket], likely: Sequence[PairKey]) -> list[PairKey]:
    """Return the first of the likely pairs, those first whose titles share most of what the plainer title says."""
    listed = {ticket_id: title_words(ticket) for ticket_id, ticket in tickets.items()}
    titles = _Titles.of(listed.values())
    words = {ticket_id: frozenset(each) for ticket_id, each in listed.items()}
    said = {ticket_id: titles.surprise(each) for ticket_id, each in words.items()}

    surprises: dict[frozenset[str], float] = {}

    def likeness(pair: PairKey) -> float:
        one, other = pair
        shared = words[one] & words[other]
        # Many pairs share the same words.
        if shared not in surprises:
            surprises[shared] = titles.surprise(shared)
        return surprises[shared] / (1 + min(said[one], said[other]))

    looked_at = likely[: _PAIRS_PER_TICKET * len(tickets)]
    likest = {pair: likeness(pair) for pair in looked_at}
    return sorted(looked_at, key=lambda pair: (-likest[pair], pair))


@dataclass(frozen=True, slots=True)
class _Titles:
    """How many titles have each word, and each two words, sorted, together."""

    count: int
    having: Counter[str]
    having_both: Counter[tuple[str, str]]

    @classmethod
    def of(cls, titles: Collection[Sequence[str]]) -> "_Titles":
        """Count sorted words."""
        having = Counter(word for words in titles for word in words)
        return cls(len(titles), having, Counter(both for words in titles for both in combinations(words, 2)))

    def surprise(self, words: Collection[str]) -> float:
        """Return how seldom these words come together, as a logarithm, for words that one title has.

        A word counts as much as it tells after the one that foretells it best. So a turn of phrase that many titles
        have counts once, however many words it takes.
        """
        told = 0.0
        known: list[str] = []
        for word in sorted(sorted(words), key=self.having.__getitem__):
            told += math.log(min([self.count / self.having[word], *self._foretold(word, known)]))
            known.append(word)
        return told

    def _foretold(self, word: str, known: Sequence[str]) -> list[float]:
        having, both = self.having, self.having_both
        return [having[each] / both[(each, word) if each < word else (word, each)] for each in known]
