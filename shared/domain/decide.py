"""The gate, decided purely: an event and the configuration in, a decision for every matching Agent out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import assert_never

from contracts.agents import ScheduleTrigger, TargetRule
from contracts.behaviour import IdleTrigger, MessagesTrigger
from contracts.envelope import Event
from contracts.idleness import UserIdleDetected
from contracts.manual_runs import AgentExecuteRequested
from contracts.message_counts import MessagesCounted
from contracts.schedules import ScheduleFired
from shared.domain.active_hours import hours_text, is_open, next_opening
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.counting import SubjectMissing, subject_of
from shared.domain.debounce import Debounce
from shared.domain.decision import (
    MANUAL_TARGET,
    Coalesced,
    Decision,
    Reason,
    RunDecided,
    Skipped,
    Target,
    explanation,
    named,
)
from shared.domain.effective import Effective
from shared.domain.filtering import FilterFailed, passes
from shared.domain.following_up import stand_in
from shared.domain.target import TargetMissing, target_of

DecisionRecord = dict[str, object]


def decide(event: Event, configuration: Configuration, now: datetime) -> list[RunDecided | Skipped]:
    """Return one decision for every trigger that is for this type of event, as if nothing else had been decided yet."""
    started = [_decide(event, start, configuration, now) for start in _matching(event, configuration)]
    return [*started, *_counted(event, configuration)]


def _counted(event: Event, configuration: Configuration) -> Iterator[Skipped]:
    """Yield what becomes of the event for each Agent that counts it; the gate says later which one it is."""
    for version in configuration.triggered_by(event.type, event.organisationid):
        spec, trigger = version.spec, version.spec.after_messages
        if trigger is None or trigger.event != event.type:
            continue
        off = _switched_off(version, _effective(event, version, configuration))
        try:
            subject_of(trigger, spec.key, event)
        except SubjectMissing as error:
            yield off or Skipped(spec.key, version.number, Reason.TARGET_MISSING, None, str(error))
        else:
            detail = f"this is one of {trigger.count}"
            yield off or Skipped(spec.key, version.number, Reason.COUNTED, None, detail)


@dataclass(slots=True)
class _Start:
    """What would start: a version of an Agent, on this target, if its filter lets it, and as its trigger has it wait."""

    version: AgentVersion
    target: TargetRule | Target
    when: str | None = None
    delay_seconds: int = 0
    debounce: Debounce | None = None
    is_cooled: bool = True


def _matching(event: Event, configuration: Configuration) -> Iterator[_Start]:
    if isinstance(event, AgentExecuteRequested):
        version = configuration.agent(event.organisationid, event.data.agent_key)
        if version is not None and version.spec.manual:
            yield _Start(version, _manual_target(event), is_cooled=False)
        return
    if isinstance(event, ScheduleFired | UserIdleDetected | MessagesCounted):
        version = configuration.agent(event.organisationid, event.data.agent_key)
        if version is not None and (own := _own_trigger(event, version)) is not None:
            yield _Start(version, own.target)
        return
    for version in configuration.triggered_by(event.type, event.organisationid):
        for trigger in version.spec.triggers:
            if trigger.event == event.type:
                # A job may name who follows its end.
                starting = stand_in(event, version, configuration)
                yield _Start(starting, trigger.target, trigger.when, trigger.delay_seconds, Debounce.of(trigger))


def _own_trigger(
    event: ScheduleFired | UserIdleDetected | MessagesCounted, version: AgentVersion
) -> ScheduleTrigger | IdleTrigger | MessagesTrigger | None:
    match event:
        case ScheduleFired():
            return version.spec.schedule_trigger
        case UserIdleDetected():
            return version.spec.on_idle
        case MessagesCounted():
            return version.spec.after_messages
        case _:
            assert_never(event)


def _manual_target(event: AgentExecuteRequested) -> Target:
    asked = event.data.target
    return Target(MANUAL_TARGET, event.id) if asked is None else Target(asked.type, asked.id)


def _decide(event: Event, start: _Start, configuration: Configuration, now: datetime) -> RunDecided | Skipped:
    version, spec = start.version, start.version.spec
    effective = _effective(event, version, configuration)
    kept_out = (
        _switched_off(version, effective) or _filtered(event, version, start.when) or _closed(version, effective, now)
    )
    if kept_out is not None:
        return kept_out
    try:
        target = start.target if isinstance(start.target, Target) else target_of(start.target, event)
    except TargetMissing as error:
        return Skipped(spec.key, version.number, Reason.TARGET_MISSING, None, str(error))
    lane = effective.priority_level.value
    return RunDecided(
        spec.key,
        version.number,
        target,
        lane,
        effective.decided_by,
        agent_organisation=version.organisation,
        delay_seconds=start.delay_seconds,
        debounce=start.debounce,
        cooldown_seconds=spec.cooldown_seconds if start.is_cooled else 0,
    )


def _effective(event: Event, version: AgentVersion, configuration: Configuration) -> Effective:
    return configuration.effective(version.spec, event.organisationid, event.projectid, event.userid)


def _switched_off(version: AgentVersion, effective: Effective) -> Skipped | None:
    spec = version.spec
    if effective.is_inactive:
        return Skipped(spec.key, version.number, Reason.AGENT_INACTIVE, None)
    if not effective.is_enabled:
        return Skipped(spec.key, version.number, Reason.DISABLED, effective.decided_by)
    return None


def _filtered(event: Event, version: AgentVersion, when: str | None) -> Skipped | None:
    if when is None:
        return None
    try:
        if passes(when, event):
            return None
    except FilterFailed as error:
        return Skipped(version.spec.key, version.number, Reason.FILTER_FAILED, None, f"`{when}` failed: {error}")
    return Skipped(version.spec.key, version.number, Reason.FILTERED, None, f"its filter `{when}`")


def _closed(version: AgentVersion, effective: Effective, now: datetime) -> Skipped | None:
    hours, decided_by = effective.active_hours.value, effective.active_hours.decided_by
    if hours is None or is_open(hours, now):
        return None
    said_by = "its version" if decided_by is None else f"the binding of {named(decided_by)}"
    opens = f"{next_opening(hours, now):%Y-%m-%d %H:%M} UTC"
    detail = f"{hours_text(hours)} as {said_by} says; they begin next at {opens}"
    return Skipped(version.spec.key, version.number, Reason.OUTSIDE_ACTIVE_HOURS, decided_by, detail)


def record(event_key: str, decision: Decision) -> DecisionRecord:
    """Return the decision as it is stored on the event and answered to its publisher."""
    match decision:
        case RunDecided():
            return {
                **_common(decision),
                **_particulars(decision),
                "outcome": "run",
                "reason": "enabled",
                "run_id": decision.run_id(event_key),
                "target": {"type": decision.target.type, "id": decision.target.id},
                "lane": decision.lane.value,
                "agent_version_id": decision.agent_version_id,
            }
        case Coalesced():
            target = {"type": decision.target.type, "id": decision.target.id}
            said = {"outcome": "coalesced", "reason": "debounce", "run_id": decision.into, "target": target}
            return {**_common(decision), **said}
        case Skipped():
            # Scopes skip alike, event after event; what has a detail of its own is not said again.
            return dict(_skipped_alike(decision)) if decision.detail == "" else _skipped(decision)
        case _:
            assert_never(decision)


def _skipped(decision: Skipped) -> DecisionRecord:
    return {**_common(decision), "outcome": "skipped", "reason": decision.reason.value, "run_id": None}


_skipped_alike = lru_cache(maxsize=8_192)(_skipped)


def _common(decision: Decision) -> DecisionRecord:
    by = decision.decided_by
    return {
        "agent_key": decision.agent_key,
        "agent_version": decision.agent_version,
        "decided_by": None if by is None else {"scope": by.scope.value, "scope_id": by.id},
        "explanation": explanation(decision),
    }


def _particulars(decision: RunDecided) -> DecisionRecord:
    """Return what only some decisions say."""
    said: DecisionRecord = {
        "replaces": list(decision.replaces),
        "delay_seconds": decision.delay_seconds,
        "debounce_seconds": 0 if decision.debounce is None else decision.debounce.seconds,
    }
    return {name: value for name, value in said.items() if value}
