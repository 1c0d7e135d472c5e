"""Which pairs are judged in one call."""

from hypothesis import given
from hypothesis import strategies as st

from services.runner.agents.ticket_scan.packing import MOST_CHARACTERS, MOST_PAIRS, groups, packs
from shared.domain.ticket import PairKey, pair_of

IDS = st.integers(0, 30).map(lambda number: f"T-{number}")
PAIRS = st.lists(
    st.tuples(IDS, IDS).filter(lambda each: each[0] != each[1]).map(lambda each: pair_of(*each)), unique=True
)


def test_pairs_that_hang_together_are_one_group_in_the_order_of_the_first() -> None:
    pairs: list[PairKey] = [("a", "b"), ("x", "y"), ("b", "c")]

    assert groups(pairs) == [[("a", "b"), ("b", "c")], [("x", "y")]]


@given(PAIRS, st.integers(0, MOST_CHARACTERS))
def test_every_pair_is_in_one_pack_within_its_bounds(pairs: list[PairKey], length: int) -> None:
    packed = list(packs(pairs, lambda _: length))

    assert sorted(pair for pack in packed for pair in pack.pairs) == sorted(pairs)
    for pack in packed:
        assert pack.tickets == {each for pair in pack.pairs for each in pair}
        assert len(pack.pairs) <= MOST_PAIRS
        assert len(pack.pairs) == 1 or len(pack.tickets) * length <= MOST_CHARACTERS


def test_pairs_that_share_tickets_are_shown_together() -> None:
    pairs: list[PairKey] = [("a", "b"), ("x", "y"), ("b", "c")]

    first, second = packs(pairs, lambda _: MOST_CHARACTERS // 3)

    assert (first.pairs, second.pairs) == ([("a", "b"), ("b", "c")], [("x", "y")])
