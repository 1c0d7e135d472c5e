"""A user has been idle; only Towpath itself publishes this."""

from typing import Literal

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Count, Day, Moment, TimeZone


class UserIdleDetectedData(EventData):
    """One quiet time of one user, for one Agent.

    `active_at` is when the user was last seen doing something, `detected_at` when that was long enough ago for this
    Agent, `idle_seconds` the whole seconds between them. `date` is the day of `detected_at` in `timezone`, the user's.
    """

    idle_id: Identifier
    agent_key: Identifier
    active_at: Moment
    detected_at: Moment
    idle_seconds: Count
    date: Day
    timezone: TimeZone = "UTC"


class UserIdleDetected(Event):
    """The user that the envelope names has done nothing for as long as an Agent waits for; in a project, if it names one."""

    type: Literal["user.idle_detected"] = "user.idle_detected"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: UserIdleDetectedData
