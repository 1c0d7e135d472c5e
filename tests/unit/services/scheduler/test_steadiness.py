"""Old leases count only when MongoDB has answered for a while without a gap."""

import pytest

from services.scheduler.steadiness import LONGEST_GAP_SECONDS, STEADY_AFTER_SECONDS, Steadiness
from tests.support.steadying import Seconds, answering


@pytest.mark.parametrize(
    ("for_seconds", "is_steady"),
    [(0, False), (STEADY_AFTER_SECONDS - 0.1, False), (STEADY_AFTER_SECONDS, True), (60, True)],
)
def test_it_is_steady_after_a_while_of_answers(for_seconds: float, *, is_steady: bool) -> None:
    seconds = Seconds()
    steadiness = Steadiness(seconds)

    answering(seconds, steadiness, for_seconds)

    assert steadiness.is_steady is is_steady


def test_it_is_not_steady_while_answers_fail_to_come() -> None:
    seconds = Seconds()
    steadiness = Steadiness(seconds)
    answering(seconds, steadiness, 60)

    seconds.now += LONGEST_GAP_SECONDS + 0.5

    assert not steadiness.is_steady


def test_after_a_gap_the_while_begins_anew() -> None:
    seconds = Seconds()
    steadiness = Steadiness(seconds)
    answering(seconds, steadiness, 60)
    seconds.now += LONGEST_GAP_SECONDS + 0.5
    steadiness.answered()

    answering(seconds, steadiness, STEADY_AFTER_SECONDS - 0.5)
    soon = steadiness.is_steady
    answering(seconds, steadiness, 0.5)

    assert (soon, steadiness.is_steady) == (False, True)
