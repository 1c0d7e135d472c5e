"""Which schedules should be in force, decided purely from Agents, bindings and members."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from shared.domain.configuration import Configuration
from shared.domain.schedule import next_due
from shared.store.members import Member
from shared.store.schedules import ScheduleInForce


def plan(
    configuration: Configuration,
    members: Iterable[Member],
    in_force: Mapping[str, ScheduleInForce],
    now: datetime,
) -> tuple[list[ScheduleInForce], list[str]]:
    """Return the schedules to write, new or changed, and the ids of those to remove.

    A disabled Agent keeps its schedules: its fires are decided by the gate, which records why they start nothing.
    A changed schedule counts from now, so it never fires for a moment before the change.
    """
    wanted = {schedule.id: schedule for member in members for schedule in _schedules_of(configuration, member, now)}
    changed = [
        _write(schedule, in_force.get(id_)) for id_, schedule in wanted.items() if _differs(schedule, in_force.get(id_))
    ]
    return changed, [id_ for id_ in in_force if id_ not in wanted]


def _schedules_of(configuration: Configuration, member: Member, now: datetime) -> Iterable[ScheduleInForce]:
    for version in configuration.agents_of(member.organisation).values():
        if version.spec.schedule_trigger is None:
            continue
        effective = configuration.effective(version.spec, member.organisation, member.project, member.user)
        if effective.schedule is not None:
            due = next_due(effective.schedule, now)
            yield ScheduleInForce(version.spec.key, member, effective.schedule, now, due, effective.schedule_decided_by)


def _differs(wanted: ScheduleInForce, present: ScheduleInForce | None) -> bool:
    return present is None or _facts(present) != _facts(wanted)


def _write(wanted: ScheduleInForce, present: ScheduleInForce | None) -> ScheduleInForce:
    if present is not None and present.schedule == wanted.schedule:
        return replace(present, member=wanted.member, decided_by=wanted.decided_by)
    return wanted


def _facts(schedule: ScheduleInForce) -> tuple[object, ...]:
    return schedule.schedule, schedule.member, schedule.decided_by
