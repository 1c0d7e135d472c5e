"""The delay before the next attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.retry import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, retry_delay_seconds

FAILURES = st.integers(1, 200)
JITTER = st.floats(0, 1)


@given(failures=FAILURES, jitter=JITTER)
def test_the_delay_is_spread_over_the_upper_half_of_a_doubling_bound(failures: int, jitter: float) -> None:
    bound = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** (failures - 1))

    assert bound / 2 <= retry_delay_seconds(failures, None, jitter) <= bound


@given(failures=FAILURES, asked=st.floats(0, 100_000), jitter=JITTER)
def test_the_delay_is_never_shorter_than_what_the_other_side_asked_for(
    failures: int, asked: float, jitter: float
) -> None:
    own = retry_delay_seconds(failures, None, jitter)

    assert max(own, asked) <= retry_delay_seconds(failures, asked, jitter) <= max(own, asked * 1.25)


@given(failures=FAILURES, jitter=JITTER)
def test_more_failures_never_wait_less(failures: int, jitter: float) -> None:
    assert retry_delay_seconds(failures + 1, None, jitter) >= retry_delay_seconds(failures, None, jitter)


@pytest.mark.parametrize(("failures", "longest"), [(1, 1.0), (2, 2.0), (3, 4.0), (9, 256.0), (10, 300.0), (50, 300.0)])
def test_the_bound_doubles_from_one_second_to_five_minutes(failures: int, longest: float) -> None:
    assert retry_delay_seconds(failures, None, jitter=1.0) == longest


@pytest.mark.parametrize(
    ("failures", "first", "least"), [(1, 60, 60), (3, 60, 240), (9, 60, 300), (1, 900, 900), (2, 900, 900)]
)
@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_an_agents_own_first_delay_doubles_and_is_never_cut_short(
    failures: int, first: int, least: int, jitter: float
) -> None:
    assert retry_delay_seconds(failures, None, jitter, first) == least * (1 + jitter / 4)
    assert retry_delay_seconds(failures, 10_000, jitter, first) >= 10_000
