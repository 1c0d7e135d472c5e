"""A quiet time of a user as an event. Its id is made of Agent, user and last activity, so it is told once."""

from datetime import datetime
from zoneinfo import ZoneInfo

from contracts.idleness import UserIdleDetected, UserIdleDetectedData
from contracts.ids import derived_id
from shared.domain.firing import FIRE_SOURCE
from shared.domain.idleness import Idleness


def idle_fire(claimed: Idleness, active_at: datetime, detected_at: datetime, timezone: str) -> UserIdleDetected:
    """Return the event that this user has been idle since `active_at`: the same whoever tells it."""
    id_ = derived_id("idle", claimed.id, active_at.isoformat())
    return UserIdleDetected(
        id=id_,
        source=FIRE_SOURCE,
        time=detected_at,
        organisationid=claimed.organisation,
        projectid=claimed.project,
        userid=claimed.user,
        data=UserIdleDetectedData(
            idle_id=id_,
            agent_key=claimed.agent_key,
            active_at=active_at,
            detected_at=detected_at,
            idle_seconds=int((detected_at - active_at).total_seconds()),
            date=detected_at.astimezone(ZoneInfo(timezone)).date(),
            timezone=timezone,
        ),
    )
