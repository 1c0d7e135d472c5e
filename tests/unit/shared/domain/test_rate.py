"""How fast a provider's lane may be used."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.rate import (
    LONGEST_CLOSURE_SECONDS,
    Busy,
    Go,
    LaneState,
    Limits,
    advanced,
    is_limited,
    refused,
    reserve,
    returned,
    taught,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
UNKNOWN = Limits()
GAPS = st.lists(st.floats(0, 20), min_size=1, max_size=200)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def passed(limits: Limits, gaps: list[float], tokens: int = 1, state: LaneState | None = None) -> list[float]:
    """Return when calls may be made that are tried after these gaps, each with a patience of a second."""
    lane, seconds, at = state or LaneState(NOW), 0.0, []
    for gap in gaps:
        seconds += gap
        lane, verdict = reserve(lane, limits, tokens, later(seconds), 1.0)
        if isinstance(verdict, Go):
            at.append(seconds + verdict.after_seconds)
    return at


def most_in_a_minute(moments: list[float]) -> int:
    # A microsecond less: moments are kept that exactly.
    return max(sum(0 <= other - first < 59.999 for other in moments) for first in moments)


@given(st.integers(1, 100), GAPS)
def test_no_minute_sees_more_requests_than_the_limit(limit: int, gaps: list[float]) -> None:
    assert most_in_a_minute(passed(Limits(requests_per_minute=limit), [gap / 10 for gap in gaps])) <= limit


@given(st.integers(100, 10_000), st.integers(1, 10), GAPS)
def test_no_minute_sees_more_tokens_than_the_limit(limit: int, tokens: int, gaps: list[float]) -> None:
    moments = passed(Limits(tokens_per_minute=limit), [gap / 100 for gap in gaps], tokens)

    assert most_in_a_minute(moments) * tokens <= limit


@pytest.mark.parametrize("limit", [1, 2, 7, 60, 300])
def test_trying_often_uses_most_of_the_limit(limit: int) -> None:
    often = 6 / limit
    moments = passed(Limits(requests_per_minute=limit), [often] * int(245 / often))

    assert sum(60 <= moment < 240 for moment in moments) >= 3 * limit * 0.9 - 1


@given(st.integers(1, 100), GAPS)
def test_calls_pass_in_the_order_of_their_reservations(limit: int, gaps: list[float]) -> None:
    moments = passed(Limits(requests_per_minute=limit), [gap / 100 for gap in gaps])

    assert all(first <= second for first, second in pairwise(moments))


@given(st.integers(1, 100), st.floats(0, 2))
def test_wait_that_is_told_is_long_enough(limit: int, patience: float) -> None:
    limits, lane, verdict = Limits(requests_per_minute=limit), LaneState(NOW), None
    while not isinstance(verdict, Busy):
        lane, verdict = reserve(lane, limits, 0, NOW, patience)

    _, verdict = reserve(lane, limits, 0, later(verdict.retry_after_seconds), 0.001)

    assert isinstance(verdict, Go)


def test_busy_lane_promises_nothing() -> None:
    limits = Limits(requests_per_minute=1)
    full, _ = reserve(LaneState(NOW), limits, 0, NOW, 1.0)

    assert reserve(full, limits, 0, NOW, 1.0) == (full, Busy(60.0))


def test_call_larger_than_the_bucket_waits_for_a_full_one_and_is_paid_off_later() -> None:
    limits = Limits(tokens_per_minute=600)

    lane, first = reserve(LaneState(NOW), limits, 600, NOW, 1.0)
    _, second = reserve(lane, limits, 1, NOW, 1.0)

    assert first == Go()
    assert isinstance(second, Busy)
    assert second.retry_after_seconds == pytest.approx(541 / 9)


def test_tokens_that_were_not_used_are_there_again() -> None:
    limits = Limits(tokens_per_minute=600)
    lane, _ = reserve(LaneState(NOW), limits, 600, NOW, 1.0)

    assert reserve(returned(lane, 590), limits, 10, NOW, 1.0)[1] == Go()


@given(st.integers(-100_000, 100_000))
def test_what_is_returned_never_fills_a_bucket_over_its_size(tokens: int) -> None:
    lane = advanced(returned(LaneState(NOW, tokens=5.0), tokens), Limits(tokens_per_minute=600), NOW)

    assert lane.tokens is not None
    assert lane.tokens <= 60


def test_lane_without_limits_lets_everything_pass() -> None:
    assert len(passed(UNKNOWN, [0.0] * 1_000, 1_000_000)) == 1_000
    assert not is_limited(LaneState(NOW), UNKNOWN, NOW)
    assert not is_limited(None, UNKNOWN, NOW)
    assert is_limited(None, Limits(tokens_per_minute=1), NOW)


@pytest.mark.parametrize(("asked", "closed"), [(5.0, 5.0), (0.0, 2.0), (None, 2.0), (1e9, LONGEST_CLOSURE_SECONDS)])
def test_refused_lane_is_closed_as_long_as_was_asked(asked: float | None, closed: float) -> None:
    lane = refused(LaneState(NOW), UNKNOWN, NOW, asked, 10.0)

    assert reserve(lane, UNKNOWN, 0, NOW, 1.0)[1] == Busy(closed)
    assert isinstance(reserve(lane, UNKNOWN, 0, later(closed), 1.0)[1], Go)


def test_refusals_of_calls_under_way_together_count_once() -> None:
    once = refused(LaneState(NOW), UNKNOWN, NOW, 5.0, 600.0)
    again = refused(once, UNKNOWN, NOW, 7.0, 600.0)

    assert again == replace(once, closed_until=later(7))


def test_each_refusal_of_an_open_lane_halves_its_pace_and_waits_longer() -> None:
    first = refused(LaneState(NOW), UNKNOWN, NOW, None, 10.0)
    second = refused(first, UNKNOWN, later(2), None, 10.0)

    assert [first.pace, second.pace] == pytest.approx([0.5, 0.25], rel=0.1)
    assert second.closed_for_seconds(later(2)) == pytest.approx(4, rel=0.1)


def test_pace_comes_back_little_by_little() -> None:
    lane = refused(LaneState(NOW), UNKNOWN, NOW, 1.0, 10.0)

    assert [lane.pace_at(later(seconds)) for seconds in (0, 30, 60, 90)] == [0.5, 0.75, 1.0, 1.0]
    assert [lane.is_calm(later(seconds)) for seconds in (0, 30, 60)] == [False, False, True]


@given(st.lists(st.floats(0, 10), min_size=1, max_size=20), st.integers(10, 1_000))
def test_slowed_lane_keeps_to_its_limit_through_all_refusals(gaps: list[float], limit: int) -> None:
    limits, lane, seconds, moments = Limits(requests_per_minute=limit), LaneState(NOW), 0.0, []
    for gap in gaps:
        seconds += gap
        lane = refused(lane, limits, later(seconds), 0.1, 5.0)
        for _ in range(30):
            seconds += 0.05
            lane, verdict = reserve(lane, limits, 1, later(seconds), 1.0)
            if isinstance(verdict, Go):
                moments.append(seconds + verdict.after_seconds)

    assert not moments or most_in_a_minute(moments) <= limit


def test_lane_without_limits_learns_them_from_how_fast_the_refused_calls_were() -> None:
    lane = refused(LaneState(NOW), UNKNOWN, NOW, 1.0, 600.0)

    moments = passed(UNKNOWN, [0.01] * 1_000, state=lane)

    assert 0 < len([moment for moment in moments if moment < 11]) <= 600 / 60 * 10 * 0.6 + 30
    assert len(passed(UNKNOWN, [61.0] + [0.0] * 1_000, state=lane)) == 1_001


def test_other_runners_add_how_fast_they_were() -> None:
    lane = refused(LaneState(NOW), UNKNOWN, NOW, 1.0, 600.0)

    assert taught(lane, 300.0).learned_requests == 900.0


def test_slow_calls_teach_no_standstill() -> None:
    lane = refused(LaneState(NOW), UNKNOWN, NOW, 1.0, 1.0)

    assert len([moment for moment in passed(UNKNOWN, [0.1] * 600, state=lane) if moment < 30]) > 10


def test_clock_that_goes_back_takes_nothing_away() -> None:
    limits = Limits(requests_per_minute=600)
    lane, _ = reserve(LaneState(NOW), limits, 0, later(1), 1.0)

    assert advanced(lane, limits, NOW) == lane
