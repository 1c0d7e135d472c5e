"""When the sweep looks again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scheduler.again import LATEST, SOONEST, look_again_at
from tests.unit.shared.given import NOW

WAITED = st.timedeltas(timedelta(0), timedelta(days=400))


@given(waited=WAITED)
def test_it_looks_again_between_3_and_60_seconds_later(waited: timedelta) -> None:
    assert SOONEST <= look_again_at(NOW - waited, NOW) - NOW <= LATEST


@given(waited=WAITED, longer=WAITED)
def test_the_longer_it_waits_the_less_often_it_is_looked_at(waited: timedelta, longer: timedelta) -> None:
    assert look_again_at(NOW - waited - longer, NOW) >= look_again_at(NOW - waited, NOW)


def test_within_the_bounds_the_age_doubles_from_look_to_look() -> None:
    assert look_again_at(NOW - timedelta(seconds=20), NOW) == NOW + timedelta(seconds=20)


def test_a_clock_that_went_back_does_not_make_it_look_at_once() -> None:
    assert look_again_at(NOW + timedelta(hours=1), NOW) == NOW + SOONEST
