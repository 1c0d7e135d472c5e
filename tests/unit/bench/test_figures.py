from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.bench.figures import milliseconds, percentile, rate, times_ideal

VALUES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=50)


def test_the_median_of_an_even_number_of_values_lies_between_the_two_in_the_middle() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 50) == 2.5


def test_the_ends_are_the_smallest_and_the_largest_value() -> None:
    assert percentile([3.0, 1.0, 2.0], 0) == 1.0
    assert percentile([3.0, 1.0, 2.0], 100) == 3.0


def test_a_single_value_is_every_percentile() -> None:
    assert {percentile([7.0], percent) for percent in (0, 1, 50, 99, 100)} == {7.0}


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="percentile of nothing"):
        percentile([], 50)


@given(VALUES, st.floats(min_value=0, max_value=100))
def test_a_percentile_lies_within_the_values(values: list[float], percent: float) -> None:
    assert min(values) <= percentile(values, percent) <= max(values) + 1e-6


@given(VALUES)
def test_percentiles_grow(values: list[float]) -> None:
    found = [percentile(values, percent) for percent in range(0, 101, 5)]

    assert all(earlier <= later + 1e-6 for earlier, later in pairwise(found))


def test_a_rate_is_per_second() -> None:
    assert rate(500, 2.0) == 250.0


def test_nothing_comes_in_no_time() -> None:
    assert rate(500, 0.0) == 0.0


def test_the_ideal_is_every_slot_busy_all_the_time() -> None:
    assert times_ideal(4.0, count=2_000, each_seconds=0.5, slots=256) == 1.0


def test_a_round_that_is_not_full_counts_whole() -> None:
    assert times_ideal(1.0, count=257, each_seconds=0.5, slots=256) == 1.0


def test_spans_are_in_milliseconds() -> None:
    assert milliseconds([1.0, 2.0], [1.5, 2.25]) == [500.0, 250.0]
