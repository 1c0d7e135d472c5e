"""The gate, decided purely: an event and the configuration in, a decision for every matching Agent out."""

from collections.abc import Iterator
from typing import assert_never

from contracts.agents import TargetRule
from contracts.envelope import Event
from contracts.manual_runs import AgentExecuteRequested
from contracts.schedules import ScheduleFired
from services.gating.target import TargetMissing, target_of
from shared.domain.agent_id import version_id
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.decision import MANUAL_TARGET, Decision, Reason, RunDecided, Skipped, Target, explanation

DecisionRecord = dict[str, object]


def decide(event: Event, configuration: Configuration) -> list[Decision]:
    """Return one decision for every trigger that matches the event."""
    return [_decide(event, version, rule, configuration) for version, rule in _matching(event, configuration)]


def _matching(event: Event, configuration: Configuration) -> Iterator[tuple[AgentVersion, TargetRule | Target]]:
    if isinstance(event, AgentExecuteRequested):
        version = configuration.agent(event.organisationid, event.data.agent_key)
        if version is not None and version.spec.manual:
            yield version, _manual_target(event)
        return
    if isinstance(event, ScheduleFired):
        version = configuration.agent(event.organisationid, event.data.agent_key)
        if version is not None and version.spec.schedule_trigger is not None:
            yield version, version.spec.schedule_trigger.target
        return
    for version in configuration.triggered_by(event.type, event.organisationid):
        for trigger in version.spec.triggers:
            if trigger.event == event.type:
                yield version, trigger.target


def _manual_target(event: AgentExecuteRequested) -> Target:
    asked = event.data.target
    return Target(MANUAL_TARGET, event.id) if asked is None else Target(asked.type, asked.id)


def _decide(event: Event, version: AgentVersion, rule: TargetRule | Target, configuration: Configuration) -> Decision:
    spec = version.spec
    effective = configuration.effective(spec, event.organisationid, event.projectid, event.userid)
    if effective.is_inactive:
        return Skipped(spec.key, version.number, Reason.AGENT_INACTIVE, None)
    if not effective.is_enabled:
        return Skipped(spec.key, version.number, Reason.DISABLED, effective.decided_by)
    try:
        target = rule if isinstance(rule, Target) else target_of(rule, event)
    except TargetMissing as error:
        return Skipped(spec.key, version.number, Reason.TARGET_MISSING, None, str(error))
    return RunDecided(spec.key, version.number, target, spec.priority_level, effective.decided_by, version.organisation)


def record(event_key: str, decision: Decision) -> DecisionRecord:
    """Return the decision as it is stored on the event and answered to its publisher."""
    decided_by = (
        None
        if decision.decided_by is None
        else {
            "scope": decision.decided_by.scope.value,
            "scope_id": decision.decided_by.id,
        }
    )
    common: DecisionRecord = {
        "agent_key": decision.agent_key,
        "agent_version": decision.agent_version,
        "decided_by": decided_by,
        "explanation": explanation(decision),
    }
    match decision:
        case RunDecided():
            return {
                **common,
                "outcome": "run",
                "reason": "enabled",
                "run_id": decision.run_id(event_key),
                "target": {"type": decision.target.type, "id": decision.target.id},
                "lane": decision.lane.value,
                "agent_version_id": version_id(decision.agent_organisation, decision.agent_key, decision.agent_version),
            }
        case Skipped():
            return {**common, "outcome": "skipped", "reason": decision.reason.value, "run_id": None}
        case _:
            assert_never(decision)
