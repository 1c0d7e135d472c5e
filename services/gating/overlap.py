"""What a fire does while a run of its Agent for the same user and project is open: decided purely."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from contracts.agents import Overlap
from contracts.envelope import Event
from contracts.schedules import ScheduleFired
from shared.domain.configuration import Configuration
from shared.domain.decision import Decision, Reason, RunDecided, Skipped
from shared.store.open_runs import OpenRun, Work

Decided = dict[str, Sequence[Decision]]


@dataclass(frozen=True, slots=True)
class GuardedFire:
    """A fire that starts a run, unless or although another one is open."""

    event: ScheduleFired
    decision: RunDecided
    overlap: Overlap

    @property
    def work(self) -> Work:
        event = self.event
        return Work(event.organisationid, event.projectid, event.userid, self.decision.agent_key)


def guarded_fires(events: Iterable[Event], decided: Decided, configuration: Configuration) -> list[GuardedFire]:
    """Return the fires among the events whose start depends on what is open, the moment that was due first first."""
    fires = [
        GuardedFire(event, decision, overlap)
        for event in events
        if isinstance(event, ScheduleFired)
        for decision in decided.get(event.key, ())
        if isinstance(decision, RunDecided)
        and (overlap := _overlap_of(event.organisationid, decision.agent_key, configuration)) is not Overlap.QUEUE
    ]
    return sorted(fires, key=lambda each: each.event.data.due_at)


def without_overlap(fires: Iterable[GuardedFire], open_runs: Mapping[Work, list[OpenRun]]) -> Decided:
    """Return the decisions of the fires anew: each sees what was open, and what the fires before it start.

    A run that one of these fires started in an earlier delivery counts in its turn, not before.
    """
    fires = list(fires)
    keys = {each.event.key for each in fires}
    open_ids = {work: [run.id for run in runs if run.event_key not in keys] for work, runs in open_runs.items()}
    decided: Decided = {}
    for each in fires:
        open_now = open_ids.get(each.work, [])
        decision = _decision(each, open_now)
        if isinstance(decision, RunDecided):
            open_ids[each.work] = [decision.run_id(each.event.key)]
        decided[each.event.key] = [decision]
    return decided


def _decision(fire: GuardedFire, open_now: list[str]) -> Decision:
    decision = fire.decision
    if not open_now:
        return decision
    if fire.overlap is Overlap.REPLACE:
        return replace(decision, replaces=tuple(open_now))
    return Skipped(decision.agent_key, decision.agent_version, Reason.OVERLAP, None, open_now[0])


def _overlap_of(organisation: str, agent_key: str, configuration: Configuration) -> Overlap:
    version = configuration.agent(organisation, agent_key)
    trigger = None if version is None else version.spec.schedule_trigger
    return Overlap.QUEUE if trigger is None else trigger.overlap
