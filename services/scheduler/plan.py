"""Which schedules should be in force, decided purely from Agents, bindings and members."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from contracts.agents import ForEach, ScheduleTrigger
from shared.domain.configuration import Configuration
from shared.domain.firing import FiringRule
from shared.domain.schedule import on_clock_of
from shared.domain.serving import serves
from shared.store.members import Member, whole_organisation, whole_project
from shared.store.schedules import ScheduleInForce


def plan(
    configuration: Configuration,
    members: Iterable[Member],
    in_force: Mapping[str, ScheduleInForce],
    now: datetime,
) -> tuple[list[ScheduleInForce], list[str]]:
    """Return the schedules to write, new or changed, and the ids of those to remove.

    A trigger's filter says whom it serves; nobody else has its schedule. One on the clock of the member is that of the
    member's zone; whoever stands for a project or an organisation has UTC.
    A disabled Agent keeps its schedules: its fires are decided by the gate, which records why they start nothing.
    A changed schedule counts from now, so it never fires for a moment before the change. Where only the trigger's rule for
    firing was changed, what is due stays due.
    """
    present = list(members)
    everybody = [*present, *_projects(present), *_organisations(configuration, present)]
    wanted = {schedule.id: schedule for member in everybody for schedule in _schedules_of(configuration, member, now)}
    changed = [
        _write(schedule, in_force.get(id_)) for id_, schedule in wanted.items() if _differs(schedule, in_force.get(id_))
    ]
    return changed, [id_ for id_ in in_force if id_ not in wanted]


def _projects(members: Iterable[Member]) -> list[Member]:
    """Return whoever stands for each project that has members."""
    return [whole_project(*place) for place in sorted({(each.organisation, each.project) for each in members})]


def _organisations(configuration: Configuration, members: Iterable[Member]) -> list[Member]:
    """Return whoever stands for each organisation that has members or Agents of its own."""
    known = {member.organisation for member in members} | configuration.organisations
    return [whole_organisation(organisation) for organisation in sorted(known)]


def _schedules_of(configuration: Configuration, member: Member, now: datetime) -> Iterable[ScheduleInForce]:
    for version in configuration.agents_of(member.organisation).values():
        trigger = version.spec.schedule_trigger
        if trigger is None or not _is_for(trigger, member):
            continue
        project, user = member.project or None, member.user or None
        effective = configuration.effective(version.spec, member.organisation, project, user)
        if effective.schedule is not None:
            rule, decided_by = FiringRule.of(trigger), effective.schedule_decided_by
            schedule = on_clock_of(effective.schedule, member.timezone)
            yield ScheduleInForce(version.spec.key, member, schedule, now, now, decided_by, rule)


def _is_for(trigger: ScheduleTrigger, member: Member) -> bool:
    stands_for = _stands_for(member)
    if trigger.for_each is not stands_for:
        return False
    who = member.organisation, member.project, member.user, member.timezone
    return stands_for is not ForEach.MEMBER or serves(trigger.user_filter, *who)


def _stands_for(member: Member) -> ForEach:
    if member.user:
        return ForEach.MEMBER
    return ForEach.PROJECT if member.project else ForEach.ORGANISATION


def _differs(wanted: ScheduleInForce, present: ScheduleInForce | None) -> bool:
    return present is None or _facts(present) != _facts(wanted)


def _write(wanted: ScheduleInForce, present: ScheduleInForce | None) -> ScheduleInForce:
    if present is None:
        return wanted.counting_from(wanted.since)
    if present.schedule != wanted.schedule:
        return replace(wanted, fired_for=present.fired_for).counting_from(wanted.since)
    changed = replace(present, member=wanted.member, decided_by=wanted.decided_by, rule=wanted.rule)
    return changed if changed.rule == present.rule else changed.counting_from(present.since)


def _facts(schedule: ScheduleInForce) -> tuple[object, ...]:
    return schedule.schedule, schedule.member, schedule.decided_by, schedule.rule
