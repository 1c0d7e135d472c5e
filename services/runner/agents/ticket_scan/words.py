"""Which tickets share words, or pairs of words in their titles, that few others have. Pure."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations, islice

from shared.domain.ticket import PairKey, Ticket

Feature = str | tuple[str, str]

_MOST_TICKETS_OF_A_FEATURE = 25
_MOST_TITLE_WORDS = 14
_WORD = re.compile(r"[^\W_]{3,}")
_ENDINGS = ("ing", "ed", "es", "s")
_SHORTEST_STEM = 4


def pairs_by_words(tickets: Mapping[str, Ticket]) -> list[PairKey]:
    """Return the pairs of tickets that share rare words, the likest first.

    Most words are common in a project, but two of them together in a title seldom are. What more than a few tickets
    have says nothing, and would make every ticket a neighbour of every other. A pair's likeness is the weight of what
    the two share against that of the plainer title: what is said besides makes no wish another one.
    """
    said = {ticket_id: frozenset(_features(ticket)) for ticket_id, ticket in tickets.items()}
    speakers = _speakers(said)
    weights = {feature: math.log((len(said) + 1) / len(who)) ** 2 for feature, who in speakers.items()}
    lengths = {
        ticket_id: 1 + sum(weights[each] for each in _title_features(ticket)) for ticket_id, ticket in tickets.items()
    }
    most = min(_MOST_TICKETS_OF_A_FEATURE, max(2, len(tickets) // 2))
    shared: defaultdict[PairKey, float] = defaultdict(float)
    for feature, who in speakers.items():
        if 2 <= len(who) <= most:
            for one, other in combinations(sorted(who), 2):
                shared[one, other] += weights[feature]
    likeness = {pair: weight / min(lengths[pair[0]], lengths[pair[1]]) for pair, weight in shared.items()}
    return sorted(likeness, key=lambda pair: (-likeness[pair], pair))


def _features(ticket: Ticket) -> Iterator[Feature]:
    yield from _words(ticket.text)
    yield from combinations(title_words(ticket), 2)


def _title_features(ticket: Ticket) -> Iterator[Feature]:
    words = title_words(ticket)
    yield from words
    yield from combinations(words, 2)


def title_words(ticket: Ticket) -> list[str]:
    """Return the words that a title begins with, without their usual endings, each once and sorted."""
    return sorted(set(islice(_words(ticket.title), _MOST_TITLE_WORDS)))


def _words(text: str) -> Iterator[str]:
    """Yield the words without their usual endings, so that `crash` and `crashes` are one."""
    for word in _WORD.findall(text.lower()):
        ending = next((each for each in _ENDINGS if word.endswith(each)), "")
        yield word.removesuffix(ending) if len(word) - len(ending) >= _SHORTEST_STEM else word


def _speakers(said: Mapping[str, frozenset[Feature]]) -> dict[Feature, list[str]]:
    speakers: defaultdict[Feature, list[str]] = defaultdict(list)
    for ticket_id, features in said.items():
        for feature in features:
            speakers[feature].append(ticket_id)
    return speakers
