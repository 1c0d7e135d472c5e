"""When a schedule is due. Pure: time comes in, moments come out, all in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from contracts.agents import DailySchedule, IntervalSchedule, Schedule

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """Return the first moment after `after` at which the schedule is due.

    A daily hour follows the wall clock of its zone: skipped by a change to summer time it is due at the change, and
    it is due once on the day that has the hour twice.
    """
    match schedule:
        case IntervalSchedule(every_seconds=seconds):
            whole = (after - _EPOCH) // timedelta(seconds=seconds)
            return _EPOCH + (whole + 1) * timedelta(seconds=seconds)
        case DailySchedule(daily_hour=hour, timezone=zone):
            return next(CronSim(f"0 {hour} * * *", after.astimezone(ZoneInfo(zone)))).astimezone(UTC)


def last_due(schedule: Schedule, since: datetime, now: datetime) -> datetime | None:
    """Return the latest moment in (since, now] at which the schedule was due: moments missed meanwhile are one fire."""
    due = next_due(schedule, since)
    if due > now:
        return None
    if isinstance(schedule, IntervalSchedule):
        seconds = timedelta(seconds=schedule.every_seconds)
        return due + (now - due) // seconds * seconds
    while (following := next_due(schedule, due)) <= now:
        due = following
    return due


def schedule_text(schedule: Schedule) -> str:
    """Say the schedule in words."""
    match schedule:
        case IntervalSchedule(every_seconds=seconds):
            return f"every {seconds} s"
        case DailySchedule(daily_hour=hour, timezone=zone):
            return f"daily at {hour:02}:00 {zone}"
