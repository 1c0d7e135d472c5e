"""Cron expressions are checked before anything is scheduled by them, and an error says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Schedule

SCHEDULES: TypeAdapter[Schedule] = TypeAdapter(Schedule)


def error_of(document: object) -> tuple[str, str]:
    """Return the field and the message of the only error in this schedule."""
    with pytest.raises(ValidationError) as caught:
        SCHEDULES.validate_python(document)
    (error,) = caught.value.errors()
    return ".".join(str(part) for part in error["loc"]), error["msg"]


@pytest.mark.parametrize(
    "cron",
    ["* * * * *", "*/5 9-17 * * MON-FRI", "0 0 L * *", "0 12 29 FEB *", "0 3 * * MON#5", "0 0 LW * *", "0 0 1 1 7"],
)
def test_what_cron_understands_is_a_schedule(cron: str) -> None:
    assert SCHEDULES.validate_python({"cron": cron}) == CronSchedule(cron=cron, timezone="UTC")


def test_spaces_make_no_other_schedule() -> None:
    assert CronSchedule(cron="  30  7 * *   MON ") == CronSchedule(cron="30 7 * * MON")


@pytest.mark.parametrize(
    ("cron", "wrong"),
    [
        ("61 * * * *", "'61' cannot be the minute, in '61 * * * *'"),
        ("0 24 * * *", "'24' cannot be the hour"),
        ("0 0 32 * *", "'32' cannot be the day of month"),
        ("0 0 * 13 *", "'13' cannot be the month"),
        ("0 0 * * SOMEDAY", "'SOMEDAY' cannot be the day of week"),
        ("*/0 * * * *", "'*/0' cannot be the minute"),
        ("* * * * * *", "has 6 fields; there must be five: minute, hour, day of month, month, day of week"),
        ("@daily at 7", "has 3 fields"),
        ("0 0 30 2 *", "is never due"),
        ("0 0 31 4,6 *", "is never due"),
    ],
)
def test_an_error_names_the_field_and_what_is_wrong(cron: str, wrong: str) -> None:
    field, message = error_of({"cron": cron})

    assert field == "cron.cron"
    assert wrong in message


def test_a_zone_that_does_not_exist_is_named() -> None:
    field, message = error_of({"cron": "0 7 * * *", "timezone": "Europe/Bonn"})

    assert (field, "'Europe/Bonn' is not an IANA time zone" in message) == ("cron.timezone", True)


@pytest.mark.parametrize("document", [{}, {"every": 5}, 5, "0 7 * * *", None])
def test_what_is_no_schedule_is_told_what_one_is(document: object) -> None:
    assert error_of(document) == (
        "",
        "A schedule is {'every_seconds': 900}, {'daily_hour': 7} or {'cron': '30 7 * * *'}",
    )


def test_a_schedule_is_one_of_them_only() -> None:
    assert error_of({"every_seconds": 5, "cron": "* * * * *"})[0] == "every_seconds.cron"


@pytest.mark.parametrize(
    "stored",
    [
        IntervalSchedule(every_seconds=900),
        DailySchedule(daily_hour=7, timezone="Europe/Berlin"),
        CronSchedule(cron="0 7 * * *", timezone="Europe/Berlin"),
    ],
)
def test_what_was_stored_is_read_as_it_was(stored: Schedule) -> None:
    assert SCHEDULES.validate_python(stored.model_dump(mode="json")) == stored
    assert SCHEDULES.validate_python(stored) == stored


@given(st.lists(st.text("0123456789*/,-#LWMONJAF ", max_size=8), min_size=5, max_size=5).map(" ".join))
def test_any_text_is_a_schedule_or_refused(text: str) -> None:
    try:
        schedule = SCHEDULES.validate_python({"cron": text})
    except ValidationError:
        return

    assert isinstance(schedule, CronSchedule)
