"""A due moment of a schedule as an event. Its id is made of what fired and when, so it happens once."""

from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.schedules import ScheduleFired, ScheduleFiredData
from shared.domain.firing import FIRE_SOURCE, fire_id
from shared.domain.schedule import schedule_text
from shared.store.schedules import ScheduleInForce


def fire(schedule: ScheduleInForce, due_at: datetime, now: datetime) -> ScheduleFired:
    """Return the event that this schedule was due at this moment."""
    member = schedule.member
    id_ = fire_id(schedule.id, due_at)
    return ScheduleFired(
        id=id_,
        source=FIRE_SOURCE,
        time=due_at,
        organisationid=member.organisation,
        projectid=member.project or None,
        userid=member.user or None,
        data=ScheduleFiredData(
            fire_id=id_,
            agent_key=schedule.agent_key,
            schedule=schedule_text(schedule.schedule),
            scope=None if schedule.decided_by is None else schedule.decided_by.scope,
            scope_id=(schedule.decided_by.id or None) if schedule.decided_by is not None else None,
            due_at=due_at,
            fired_at=now,
            date=due_at.astimezone(ZoneInfo(member.timezone)).date(),
            timezone=member.timezone,
        ),
    )
