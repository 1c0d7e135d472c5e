"""What happens to schedules; only Towpath itself publishes these."""

from typing import Literal

from contracts.agents import Scope
from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Day, Moment, TimeZone, Title


class ScheduleFiredData(EventData):
    """One due moment of the schedule of one Agent.

    `schedule` is its text for a person, such as `every 900 s`. `scope` is the level whose binding set it, with
    `scope_id` naming which one; both are missing when the Agent version's default applies. `date` is the day of
    `due_at` in `timezone`. `fired_at` is later than `due_at` when the moment was made up for.
    """

    fire_id: Identifier
    agent_key: Identifier
    schedule: Title
    scope: Scope | None = None
    scope_id: Identifier | None = None
    due_at: Moment
    fired_at: Moment
    date: Day
    timezone: TimeZone = "UTC"


class ScheduleFired(Event):
    """A schedule came due for the project and user that the envelope names."""

    type: Literal["schedule.fired"] = "schedule.fired"
    dataversion: Literal["1"] = "1"
    data: ScheduleFiredData
