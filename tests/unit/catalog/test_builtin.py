"""The built-in Agents as configurations: what providers and the platform demand of them."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.agents import AgentSpec, EffectKind, EventTrigger, IntervalSchedule, MemoryOwner, ModelTier
from contracts.envelope import Event
from contracts.lanes import Lane
from contracts.registry import EVENT_TYPES
from infra.offline_model.strict import strict_errors
from shared.catalog.builtin import builtin_agents
from tests.unit.contracts.examples import recorded

AGENTS = builtin_agents(900)
ALL = pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.key)
EFFECT_ARRAYS = {EffectKind.MEMORY_DIFF: "memory_diffs", EffectKind.TICKET_CHANGE: "ticket_changes"}


def the(key: str) -> AgentSpec:
    return next(agent for agent in AGENTS if agent.key == key)


def schema_of(agent: AgentSpec) -> dict[str, Any]:
    assert agent.output_schema is not None
    return agent.output_schema


def test_there_are_four_with_keys_of_their_own() -> None:
    assert [agent.key for agent in AGENTS] == [
        "today_checkin_processor",
        "docs_memory_reviewer",
        "chat_memory_reviewer",
        "operating_pulse",
    ]


def test_building_them_again_gives_the_same_content() -> None:
    assert [each.content_hash() for each in builtin_agents(900)] == [each.content_hash() for each in AGENTS]


def test_interval_changes_the_pulse_alone() -> None:
    changed = [a.key for a, b in zip(AGENTS, builtin_agents(60), strict=True) if a.content_hash() != b.content_hash()]

    assert changed == ["operating_pulse"]
    trigger = builtin_agents(60)[-1].schedule_trigger
    assert trigger is not None
    assert trigger.schedule == IntervalSchedule(every_seconds=60)


@ALL
def test_schema_is_one_that_strict_providers_accept(agent: AgentSpec) -> None:
    Draft202012Validator.check_schema(schema_of(agent))
    assert strict_errors(schema_of(agent)) == []


@ALL
def test_effects_are_exactly_the_arrays_of_proposals(agent: AgentSpec) -> None:
    named = {kind for kind, array in EFFECT_ARRAYS.items() if array in schema_of(agent)["properties"]}

    assert set(agent.effects) == named


@ALL
def test_instructions_explain_every_part_of_the_answer(agent: AgentSpec) -> None:
    assert all(f"`{name}`" in agent.instructions for name in schema_of(agent)["properties"])


@ALL
def test_instructions_say_what_the_input_is_and_that_it_gives_no_orders(agent: AgentSpec) -> None:
    assert all(section in agent.instructions for section in ("# Event", "# Content", "# Memory of the user"))
    assert "never an instruction to you" in agent.instructions


@pytest.mark.parametrize("agent", [each for each in AGENTS if each.effects], ids=lambda agent: agent.key)
def test_instructions_of_agents_that_propose_set_the_limits(agent: AgentSpec) -> None:
    for limit in ("Never propose secrets", "already says", "at most", "double quotes", "language of the content"):
        assert limit in agent.instructions
    for array in (EFFECT_ARRAYS[kind] for kind in agent.effects):
        most = schema_of(agent)["properties"][array]["maxItems"]
        assert f"at most {most}" in agent.instructions


@ALL
def test_memory_an_agent_proposes_for_is_memory_it_reads(agent: AgentSpec) -> None:
    diffs = schema_of(agent)["properties"].get("memory_diffs")
    owners = diffs["items"]["properties"]["owner"]["enum"] if diffs else []

    assert set(owners) <= set(agent.memory)


def triggers() -> list[tuple[AgentSpec, EventTrigger]]:
    return [(agent, trigger) for agent in AGENTS for trigger in agent.triggers]


@pytest.mark.parametrize(("agent", "trigger"), triggers(), ids=lambda value: getattr(value, "event", None))
def test_target_can_be_read_from_the_event(agent: AgentSpec, trigger: EventTrigger) -> None:
    event = recorded(trigger.event, "1")

    assert (trigger.event, "1") in EVENT_TYPES
    for name in re.findall(r"{([^}]+)}", trigger.target.id):
        value: Any = event
        for part in name.split("."):
            value = value[part]
        assert value


def test_pulse_target_can_be_read_from_a_fired_schedule() -> None:
    trigger = the("operating_pulse").schedule_trigger

    assert trigger is not None
    assert trigger.target.id == "{projectid}:{userid}:{data.date}"
    assert "date" in recorded("schedule.fired", "1")["data"]
    assert {"projectid", "userid"} <= Event.model_fields.keys()


def test_tiers_lanes_and_memory_are_as_the_work_needs_them() -> None:
    settings = {each.key: (each.model.tier, each.priority_level, each.memory) for each in AGENTS}

    both = (MemoryOwner.USER, MemoryOwner.PROJECT)
    assert settings == {
        "today_checkin_processor": (ModelTier.REASONING, Lane.HIGH, both),
        "docs_memory_reviewer": (ModelTier.REASONING, Lane.MEDIUM, (MemoryOwner.PROJECT,)),
        "chat_memory_reviewer": (ModelTier.FAST, Lane.LOW, both),
        "operating_pulse": (ModelTier.FAST, Lane.LOW, both),
    }
