"""What counts as bounded."""

import pytest

from infra.soak.figures import ALLOWANCE, Day, Kind, Quantity, judge

RUNS = Quantity(Kind.DOCUMENTS, "runs")


def days(*counts: float) -> list[Day]:
    return [{RUNS: count} for count in counts]


@pytest.mark.parametrize(
    ("counts", "is_bounded"),
    [
        ([1_000, 2_000, 2_000, 2_100], True),
        ([1_000, 2_000, 2_150, 2_240], True),
        ([1_000, 2_000, 2_900, 2_000], False),
        ([1_000, 2_000, 3_000, 4_000], False),
    ],
    ids=["level", "within the tolerance", "a peak", "growth"],
)
def test_what_was_full_after_the_first_half_is_not_fuller_in_the_second(counts: list[float], is_bounded: bool) -> None:
    (verdict,) = judge(days(*counts), tolerance=0.1)

    assert (verdict.first, verdict.second) == (2_000, max(counts[2:]))
    assert verdict.is_bounded is is_bounded


def test_what_appears_late_counts_as_growth_unless_it_is_little() -> None:
    little, much = ALLOWANCE[Kind.DOCUMENTS], ALLOWANCE[Kind.DOCUMENTS] + 1

    assert [judge([{}, {RUNS: count}], 0.1)[0].is_bounded for count in (little, much)] == [True, False]
