"""When an Agent may start: a window of the day on some days of the week, by the clock of one time zone."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from contracts.fields import TimeZone

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day as HH:MM, from 00:00 to 23:59."""


class Weekday(StrEnum):
    """A day of the week, in the order in which they come."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class ActiveHours(BaseModel):
    """A window that opens at `start` on each of `days`, and is closed from `end` on.

    An `end` that is not after `start` is on the next day: 22:00 to 06:00 is a night, 08:00 to 08:00 a whole day. `days`
    are those on which the window opens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    start: ClockTime
    end: ClockTime
    days: tuple[Weekday, ...] = Field(default=tuple(Weekday), min_length=1, max_length=7)
    timezone: TimeZone = "UTC"
