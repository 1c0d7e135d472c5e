"""Which pairs are judged in one call: those that share tickets together, so that each text is shown once. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from shared.domain.ticket import PairKey

MOST_PAIRS = 30
MOST_CHARACTERS = 24_000
"""About 6,000 tokens."""


@dataclass(slots=True)
class Pack:
    """Pairs for one call, with the tickets that they name."""

    pairs: list[PairKey] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    characters: int = 0


def groups(pairs: Iterable[PairKey]) -> list[list[PairKey]]:
    """Return the pairs that hang together, directly or by others, in the order of their first pairs."""
    parent: dict[str, str] = {}

    def root(ticket_id: str) -> str:
        while parent.setdefault(ticket_id, ticket_id) != ticket_id:
            parent[ticket_id] = parent[parent[ticket_id]]
            ticket_id = parent[ticket_id]
        return ticket_id

    listed = list(pairs)
    for one, other in listed:
        parent[root(other)] = root(one)
    found: dict[str, list[PairKey]] = {}
    for pair in listed:
        found.setdefault(root(pair[0]), []).append(pair)
    return list(found.values())


def packs(pairs: Sequence[PairKey], length_of: Callable[[str], int]) -> Iterator[Pack]:
    """Yield every pair once, group after group; `length_of` says how many characters a ticket's text has.

    A pack holds at most 30 pairs, and more than 24,000 characters only where a single pair has them.
    """
    pack = Pack()
    for group in groups(pairs):
        for pair in group:
            new = set(pair) - pack.tickets
            characters = sum(map(length_of, new))
            if pack.pairs and (len(pack.pairs) == MOST_PAIRS or pack.characters + characters > MOST_CHARACTERS):
                yield pack
                pack, new = Pack(), set(pair)
                characters = sum(map(length_of, new))
            pack.pairs.append(pair)
            pack.tickets |= new
            pack.characters += characters
    if pack.pairs:
        yield pack
