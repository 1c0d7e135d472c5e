"""Whether a window of active hours is open, and when it opens next. Pure: moments in and out are in UTC."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contracts.active_hours import ActiveHours, Weekday

_DAYS = tuple(Weekday)
_LOOK_AHEAD_DAYS = 15
"""Two weeks: a change of the clock may skip the only window of one of them."""


def is_open(hours: ActiveHours, now: datetime) -> bool:
    """Return whether an Agent with these hours may start now."""
    return any(opens <= now < closes for opens, closes in _windows(hours, now, 2))


def next_opening(hours: ActiveHours, now: datetime) -> datetime:
    """Return the first moment after now at which a window opens."""
    return min(opens for opens, closes in _windows(hours, now, _LOOK_AHEAD_DAYS) if now < opens < closes)


def hours_text(hours: ActiveHours) -> str:
    """Say the hours in words."""
    days = [day for day in _DAYS if day in hours.days]
    on = "" if len(days) == len(_DAYS) else f" on {', '.join(day.capitalize() for day in days)}"
    return f"{hours.start} to {hours.end} {hours.timezone}{on}"


def _windows(hours: ActiveHours, now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Yield the windows that open on any of so many days, the first of them yesterday."""
    zone = ZoneInfo(hours.timezone)
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    for day in (yesterday + timedelta(days=ahead) for ahead in range(days)):
        if _DAYS[day.weekday()] in hours.days:
            last_day = day if start < end else day + timedelta(days=1)
            yield _moment(day, start, zone), _moment(last_day, end, zone)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """Return when the clock shows this time: the first of two, and at the change when it is skipped."""
    wall = datetime.combine(day, clock)
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # Read with the offset of after the change it is before it; changes happen at whole minutes.
    moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += timedelta(minutes=1)
    return moment
