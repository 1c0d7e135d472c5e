"""Which pairs of tickets are worth a model's look: the likest by meaning and by rare words. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from shared.domain.ticket import PairKey, pair_of
from shared.retrieval.fusion import fused
from shared.retrieval.port import Neighbour

_PAIRS_PER_TICKET = 0.5
_LEAST_PAIRS = 60
_MOST_PAIRS_OF_ONE = 6


def pairs_by_meaning(neighbours: Mapping[str, Sequence[Neighbour]]) -> list[PairKey]:
    """Return the pairs of each ticket and its neighbours, the likest first."""
    likeness = {
        pair_of(ticket_id, each.document_id): each.similarity for ticket_id, near in neighbours.items() for each in near
    }
    return sorted(likeness, key=lambda pair: (-likeness[pair], pair))


def candidates(
    orders: Iterable[Sequence[PairKey]], open_tickets: frozenset[str], asked_about: frozenset[str] = frozenset()
) -> list[PairKey]:
    """Return the pairs that are compared, the likest first: so many for a project, and not too many of one ticket.

    How alike is alike enough, nobody can say for every model of embeddings: so the number is bounded and no likeness.
    What was judged before counts, too. A project in which nothing changes therefore keeps its pairs, and nothing is
    left to ask. With `asked_about` only pairs with one of these tickets count.
    """
    most = max(_LEAST_PAIRS, int(len(open_tickets) * _PAIRS_PER_TICKET))
    of_ticket: Counter[str] = Counter()
    chosen: list[PairKey] = []
    for pair, _ in fused(orders):
        if not open_tickets.issuperset(pair) or (asked_about and asked_about.isdisjoint(pair)):
            continue
        if max(of_ticket[pair[0]], of_ticket[pair[1]]) >= _MOST_PAIRS_OF_ONE:
            continue
        of_ticket.update(pair)
        chosen.append(pair)
        if len(chosen) == most:
            break
    return chosen
