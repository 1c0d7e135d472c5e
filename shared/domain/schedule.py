"""When a schedule is due. Pure: time comes in, moments come out, all in UTC."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from contracts.agents import CronSchedule, DailySchedule, IntervalSchedule, Schedule
from contracts.fields import OF_MEMBER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_REMEMBERED = 256
_SOME_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """Return the first moment after `after` at which the schedule is due.

    Daily hours and cron follow the wall clock of their zone: a time of day that a change to summer time skips is due at
    the change, and one that happens twice is due once. Cron with `*` as its minute or hour goes by the time that passes.
    """
    match schedule:
        case IntervalSchedule(every_seconds=seconds):
            whole = (after - _EPOCH) // timedelta(seconds=seconds)
            return _EPOCH + (whole + 1) * timedelta(seconds=seconds)
        case DailySchedule() | CronSchedule():
            return _next_on_the_clock(schedule, after)


def following(schedule: Schedule, after: datetime, most: int) -> list[datetime]:
    """Return the next moments after `after`, at most so many."""
    if isinstance(schedule, IntervalSchedule):
        first, every = next_due(schedule, after), timedelta(seconds=schedule.every_seconds)
        return [first + index * every for index in range(most)]
    return list(islice(_on_the_clock(schedule, after), most))


def due_between(schedule: Schedule, since: datetime, until: datetime) -> Sequence[int]:
    """Return the moments in (since, until], in seconds since 1970, however many they are; they are whole seconds."""
    if isinstance(schedule, IntervalSchedule):
        last = (until - _EPOCH) // _SECOND
        return range(seconds_of(next_due(schedule, since)), last + 1, schedule.every_seconds)
    return _due_on_the_clock(schedule, since, until)


def seconds_of(moment: datetime) -> int:
    """Return the whole seconds from 1970 to the moment."""
    return (moment - _EPOCH) // _SECOND


def moment_of(seconds: int) -> datetime:
    """Return the moment that is so many seconds after 1970."""
    return _EPOCH + seconds * _SECOND


def shortest_gap(schedule: Schedule) -> timedelta | None:
    """Return the shortest time between two moments, changes of the clock aside; None when it is a day or more."""
    if isinstance(schedule, IntervalSchedule):
        return timedelta(seconds=schedule.every_seconds)
    if isinstance(schedule, DailySchedule):
        return None
    moments = CronSim(schedule.cron, _SOME_MONDAY - _SECOND)
    first = next(moments)
    # Every day that it names has the same times; the second day shows the gap over midnight.
    two_days = takewhile(lambda moment: moment < first + timedelta(days=2), moments)
    shortest = min((later - earlier for earlier, later in pairwise([first, *two_days])), default=timedelta(days=1))
    return shortest if shortest < timedelta(days=1) else None


def on_clock_of(schedule: Schedule, timezone: str) -> Schedule:
    """Return the schedule for a member with this zone: where it follows the member's clock, it follows this one."""
    if isinstance(schedule, IntervalSchedule) or schedule.timezone != OF_MEMBER:
        return schedule
    return schedule.model_copy(update={"timezone": timezone})


def zone_of(schedule: Schedule) -> str | None:
    """Return the zone whose wall clock the schedule follows; an interval follows none."""
    return None if isinstance(schedule, IntervalSchedule) else schedule.timezone


def schedule_text(schedule: Schedule) -> str:
    """Say the schedule in words."""
    match schedule:
        case IntervalSchedule(every_seconds=seconds):
            return f"every {seconds} s"
        case DailySchedule(daily_hour=hour, timezone=zone):
            return f"daily at {hour:02}:00 {_clock_text(zone)}"
        case CronSchedule(cron=expression, timezone=zone):
            return f"cron {expression} {_clock_text(zone)}"


def _clock_text(zone: str) -> str:
    return "on each member's clock" if zone == OF_MEMBER else zone


@lru_cache(maxsize=_REMEMBERED)
def _next_on_the_clock(schedule: DailySchedule | CronSchedule, after: datetime) -> datetime:
    return next(_on_the_clock(schedule, after))


@lru_cache(maxsize=_REMEMBERED)
def _due_on_the_clock(schedule: DailySchedule | CronSchedule, since: datetime, until: datetime) -> tuple[int, ...]:
    due = takewhile(lambda moment: moment <= until, _on_the_clock(schedule, since))
    return tuple(seconds_of(moment) for moment in due)


def _on_the_clock(schedule: DailySchedule | CronSchedule, after: datetime) -> Iterator[datetime]:
    expression = f"0 {schedule.daily_hour} * * *" if isinstance(schedule, DailySchedule) else schedule.cron
    last = after
    for local in CronSim(expression, after.astimezone(ZoneInfo(schedule.timezone))):
        moment = local.astimezone(UTC)
        # In an hour that happens twice it begins with the first; and a skipped time is the same moment as the next one.
        if moment > last:
            last = moment
            yield moment
