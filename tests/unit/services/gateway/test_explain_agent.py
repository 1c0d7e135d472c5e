"""Why an Agent is on or off in one place, and what its schedule does there, in words."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.agents import AgentSpec, IntervalSchedule, Scope
from services.gateway.effective_views import EffectiveView, effective_view
from services.gateway.explain_agent import AgentSurroundings, agent_details
from services.gateway.schedule_views import schedule_view
from shared.domain.binding import Binding, ScopeRef, scope_chain
from shared.domain.configuration import Configuration
from shared.domain.decide import record
from shared.domain.decision import Reason, Skipped
from shared.domain.run import RunStatus
from shared.store.background import Background
from shared.store.members import Member, whole_organisation, whole_project
from shared.store.schedules import ScheduleInForce
from tests.unit.shared.given import NOW, a_run_decided, a_spec, a_stored_run, a_version, triggered

FIRES = {"schedule": {"every_seconds": 900}, "target": {"type": "day", "id": "{data.date}"}}
PULSE = a_spec("pulse", schedule_trigger=FIRES)
FOR_PROJECTS = a_spec("pulse", schedule_trigger=FIRES | {"for_each": "project"})
UNSET = a_spec("pulse", schedule_trigger=FIRES | {"schedule": None})
IN_FORCE = ScheduleInForce("pulse", Member("acme", "apollo", "ada"), IntervalSchedule(every_seconds=900), NOW, NOW)
ON, OFF = Background(is_enabled=True, noted_at=NOW), Background(is_enabled=False, noted_at=NOW)
APOLLO = ScopeRef(Scope.PROJECT, "apollo")


def around(spec: AgentSpec = PULSE, *bindings: Binding, **changes: Any) -> AgentSurroundings:
    configuration = Configuration()
    version = a_version(spec)
    configuration.replace_agents([version])
    configuration.replace_bindings(bindings)
    found = AgentSurroundings(
        now=NOW,
        version=version,
        effective=configuration.effective(spec, "acme", "apollo", "ada"),
        said=configuration.said(spec.key, scope_chain("acme", "apollo", "ada")),
        background=ON,
        project="apollo",
        user="ada",
        is_member=True,
        schedules=[schedule_view(IN_FORCE, None, (), NOW)],
    )
    return replace(found, **changes)


def said(found: AgentSurroundings) -> str:
    return "\n".join(agent_details(found))


def test_each_binding_is_told_with_who_wrote_it_and_when() -> None:
    off = Binding("acme", APOLLO, "pulse", enabled=False, paused=True, updated_at=NOW, updated_by="olga")

    assert (
        "The binding of project apollo, set by olga at 2026-11-20 09:00:00 UTC, disables it, pauses it."
        in agent_details(around(PULSE, off))
    )


@pytest.mark.parametrize(
    ("member", "whose"),
    [
        (Member("acme", "apollo", "ada"), "for ada in project apollo"),
        (whole_project("acme", "apollo"), "for project apollo"),
        (whole_organisation("acme"), "for the organisation"),
    ],
)
def test_it_is_told_for_whom_it_fires(member: Member, whose: str) -> None:
    schedules = [schedule_view(replace(IN_FORCE, member=member), None, (), NOW)]

    assert f"It fires {whose} (every 900 s)" in said(around(schedules=schedules))


TROUBLES: dict[str, tuple[dict[str, Any], str]] = {
    "switched off": ({"background": OFF}, "operating_background_enabled is false at the scheduler"),
    "no scheduler ever": ({"background": None}, "No scheduler has been at work yet: start one."),
    "no scheduler now": (
        {"now": NOW + timedelta(seconds=31)},
        "No scheduler has been at work since 2026-11-20 09:00:00 UTC: start one.",
    ),
    "no member": (
        {"schedules": (), "is_member": False},
        "ada is no member of project apollo; publish member.joined, schedules fire for members only.",
    ),
    "no project asked about": ({"schedules": (), "is_member": None}, "it fires for members of projects"),
    "no project asked about, and for each project": (
        {"schedules": (), "is_member": None, "project": None, "spec": FOR_PROJECTS},
        "It fires once for each project that has members: name a project to see when.",
    ),
    "not planned yet": ({"schedules": ()}, "the leading scheduler plans it within 5 seconds"),
}


@pytest.mark.parametrize(("changes", "sentence"), TROUBLES.values(), ids=TROUBLES)
def test_why_a_schedule_does_not_fire_is_told(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in said(around(**changes))


def test_without_a_schedule_it_is_said_that_nobody_sets_one() -> None:
    assert "neither its version nor a binding sets a schedule" in said(around(UNSET, schedules=()))


def test_the_next_fire_and_the_last_one_with_its_decision_are_told() -> None:
    fired = replace(IN_FORCE, fired_for=NOW)
    skipped = record("ev_1", Skipped("pulse", 1, Reason.DISABLED, APOLLO))
    started = record("ev_1", a_run_decided("pulse"))
    run = a_stored_run(RunStatus.COMPLETED, _id=started["run_id"])

    of_skipped = said(around(schedules=[schedule_view(fired, None, [skipped], NOW)]))
    of_started = said(around(schedules=[schedule_view(fired, None, [started], NOW)], runs={run["_id"]: run}))

    assert "for ada in project apollo (every 900 s), next at 2026-11-20 09:15:00 UTC." in of_skipped
    assert "fired last for 2026-11-20 09:00:00 UTC: pulse is disabled by the binding of project apollo." in of_skipped
    assert f"Run {run['_id']} is completed." in of_started
    assert "It has not fired yet." in said(around())


def test_an_agent_of_events_says_which_start_it_and_nothing_of_schedules() -> None:
    details = agent_details(around(triggered("noter"), schedules=(), background=None))

    assert details == ["Version 1 is published, its status is active.", "Events that start it: checkin.submitted."]


@pytest.mark.parametrize(("background", "is_told"), [(ON, False), (OFF, True), (None, False)])
def test_what_holds_says_that_nothing_fires_while_periodic_work_is_switched_off(
    background: Background | None, *, is_told: bool
) -> None:
    found = around()
    shown = effective_view(found.version, found.effective, NOW, background)
    of_events = around(triggered("noter"))

    EffectiveView.model_validate(shown)
    value = shown["values"]["operating_background_enabled"]["value"]
    assert value == (None if background is None else background.is_enabled)
    assert ("no schedule fires" in shown["explanation"]) is is_told
    without = effective_view(of_events.version, of_events.effective, NOW, OFF)["explanation"]
    assert "no schedule fires" not in without
