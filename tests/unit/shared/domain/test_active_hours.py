"""Active hours: windows by the clock of a zone, over midnight and over changes of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.active_hours import ActiveHours, Weekday
from shared.domain.active_hours import hours_text, is_open, next_opening

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(start: str, end: str, timezone: str = "UTC", days: tuple[Weekday, ...] = tuple(Weekday)) -> ActiveHours:
    return ActiveHours(start=start, end=end, timezone=timezone, days=days)


@pytest.mark.parametrize(
    ("window", "moment", "expected"),
    [
        (hours("08:00", "18:00"), "2026-11-20 07:59", False),
        (hours("08:00", "18:00"), "2026-11-20 08:00", True),
        (hours("08:00", "18:00"), "2026-11-20 18:00", False),
        (hours("08:00", "18:00", BERLIN), "2026-11-20 07:00", True),
        (hours("08:00", "18:00", BERLIN), "2026-07-20 06:00", True),
        (hours("22:00", "06:00"), "2026-11-20 05:59", True),
        (hours("22:00", "06:00"), "2026-11-20 06:00", False),
        (hours("22:00", "06:00"), "2026-11-20 23:00", True),
        # 2026-11-20 is a Friday: its night goes on to Saturday morning, Thursday's does not count.
        (hours("22:00", "06:00", days=(Weekday.FRIDAY,)), "2026-11-21 05:00", True),
        (hours("22:00", "06:00", days=(Weekday.FRIDAY,)), "2026-11-20 05:00", False),
        (hours("08:00", "08:00", days=(Weekday.FRIDAY,)), "2026-11-21 07:59", True),
        # On 2026-03-29 the clock goes from 02:00 to 03:00, on 2026-10-25 from 03:00 back to 02:00.
        (hours("02:30", "04:00", BERLIN), "2026-03-29 00:59", False),
        (hours("02:30", "04:00", BERLIN), "2026-03-29 01:00", True),
        (hours("02:30", "02:45", BERLIN), "2026-03-29 01:00", False),
        (hours("22:00", "02:30", BERLIN), "2026-10-25 00:29", True),
        (hours("22:00", "02:30", BERLIN), "2026-10-25 00:30", False),
        (hours("22:00", "02:30", BERLIN), "2026-10-25 01:15", False),
    ],
)
def test_a_window_is_open_by_the_clock_of_its_zone(window: ActiveHours, moment: str, *, expected: bool) -> None:
    assert is_open(window, utc(moment)) is expected


@pytest.mark.parametrize(
    ("window", "moment", "opens"),
    [
        (hours("08:00", "18:00"), "2026-11-20 18:00", "2026-11-21 08:00"),
        (hours("08:00", "18:00", days=(Weekday.FRIDAY,)), "2026-11-20 18:00", "2026-11-27 08:00"),
        (hours("08:00", "18:00", BERLIN), "2026-03-28 20:00", "2026-03-29 06:00"),
        (hours("02:30", "04:00", BERLIN), "2026-03-28 20:00", "2026-03-29 01:00"),
        (hours("02:10", "02:50", BERLIN, (Weekday.SUNDAY,)), "2026-03-28 20:00", "2026-04-05 00:10"),
    ],
)
def test_it_is_told_when_it_opens_next(window: ActiveHours, moment: str, opens: str) -> None:
    assert next_opening(window, utc(moment)) == utc(opens)


CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
WINDOWS = st.builds(
    ActiveHours,
    start=CLOCK,
    end=CLOCK,
    days=st.lists(st.sampled_from(list(Weekday)), min_size=1, unique=True).map(tuple),
    timezone=st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
MOMENTS = st.integers(0, 366 * 24 * 60).map(lambda minutes: utc("2026-01-01 00:00") + timedelta(minutes=minutes))


@given(WINDOWS, MOMENTS)
def test_a_closed_window_opens_when_it_says_and_not_a_minute_before(window: ActiveHours, now: datetime) -> None:
    opens = next_opening(window, now)

    assert opens > now
    assert is_open(window, opens)
    if not is_open(window, now):
        assert not is_open(window, opens - timedelta(minutes=1))


def test_hours_are_said_in_words() -> None:
    assert hours_text(hours("08:00", "18:00", days=(Weekday.TUESDAY, Weekday.MONDAY))) == (
        "08:00 to 18:00 UTC on Monday, Tuesday"
    )
    assert hours_text(hours("22:00", "06:00", BERLIN)) == "22:00 to 06:00 Europe/Berlin"


@pytest.mark.parametrize(
    ("field", "value"), [("start", "8:00"), ("end", "24:00"), ("timezone", "Mars/Base"), ("days", [])]
)
def test_what_is_no_window_is_refused_with_the_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ActiveHours.model_validate({"start": "08:00", "end": "18:00", field: value})
