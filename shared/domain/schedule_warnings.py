"""What is allowed about a schedule, and yet is probably not what its author wants. Pure."""

from datetime import timedelta

from contracts.agents import AgentSpec, Schedule
from shared.domain.schedule import schedule_text, shortest_gap


def schedule_warnings(spec: AgentSpec, schedule: Schedule | None = None) -> list[str]:
    """Return sentences about this schedule of the Agent, or without one about that of its version; none is well."""
    default = None if spec.schedule_trigger is None else spec.schedule_trigger.schedule
    concerned = schedule or default
    gap = None if concerned is None else shortest_gap(concerned)
    if concerned is None or gap is None or gap >= timedelta(seconds=spec.timeout_seconds):
        return []
    may_take = f"timeout_seconds: an attempt of {spec.key} may take {spec.timeout_seconds} s"
    fires = f"longer than the {int(gap.total_seconds())} s between two fires of '{schedule_text(concerned)}'"
    return [f"{may_take}, {fires}. Lower it, fire less often, or say with overlap what happens then."]
