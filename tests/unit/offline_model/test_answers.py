"""Whole answers to the built-in Agents, and to schemas nobody knows."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts.agents import AgentSpec
from infra.offline_model.answers import arguments, json_answer, plain_answer
from services.runner.tools.registry import TOOLS
from shared.catalog.builtin import builtin_agents
from tests.unit.contracts.examples import recorded
from tests.unit.offline_model.inputs import CHECKIN, rendered

AGENTS = builtin_agents(900)


def answer(agent: AgentSpec, text: str) -> dict[str, Any]:
    assert agent.output_schema is not None
    value: dict[str, Any] = orjson.loads(json_answer(text, agent.output_schema))
    Draft202012Validator(agent.output_schema).validate(value)
    return value


def cases() -> list[tuple[AgentSpec, str]]:
    return [(agent, event) for agent in AGENTS for event in [t.event for t in agent.triggers] or ["schedule.fired"]]


@pytest.mark.parametrize(("agent", "event"), cases(), ids=lambda value: getattr(value, "key", value))
def test_every_event_of_a_built_in_agent_gets_a_valid_answer(agent: AgentSpec, event: str) -> None:
    assert answer(agent, rendered(recorded(event)["data"], type=event))


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.key)
def test_nothing_at_all_gets_a_valid_answer(agent: AgentSpec) -> None:
    value = answer(agent, "")

    assert all(not part for part in value.values() if isinstance(part, list))


def test_arguments_of_a_tool_ask_for_everything_there_is() -> None:
    asked = {name: orjson.loads(arguments(rendered(CHECKIN), tool.spec.parameters)) for name, tool in TOOLS.items()}

    assert asked["recent_events"] == {"type": None, "limit": 20}
    assert asked["project_tickets"] == {"closed": False, "limit": 200}


def test_what_tools_told_is_in_the_answer() -> None:
    told = orjson.dumps([{"type": "checkin.submitted", "data": {"yesterday": "Merged APO-11."}}]).decode()
    review = next(agent for agent in AGENTS if agent.key == "proactive_daily_review")
    assert review.output_schema is not None

    said = orjson.loads(json_answer(rendered({}, type="schedule.fired"), review.output_schema, [told]))

    assert [each["reason"] for each in said["wins"]] == ['You wrote: "Merged APO-11"']
    assert [(each["action"], each["ticket_id"]) for each in said["ticket_changes"]] == [("close", "APO-11")]


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: agent.key)
@given(text=st.text())
def test_any_text_gets_a_valid_answer(agent: AgentSpec, text: str) -> None:
    assert answer(agent, rendered({"text": text, "date": "2026-11-20"}))


def test_same_question_gets_the_same_answer() -> None:
    assert answer(AGENTS[0], rendered(CHECKIN)) == answer(AGENTS[0], rendered(CHECKIN))


def test_unknown_properties_get_words_of_the_input() -> None:
    schema = {"properties": {"headline": {"type": "string"}, "score": {"type": "integer", "minimum": 1, "maximum": 5}}}

    value = orjson.loads(json_answer("The harbour opens on 3 May. It is large.", schema))

    assert value == {"headline": "The harbour opens on 3 May.", "score": 1}


def test_plain_answer_lists_what_was_found() -> None:
    assert plain_answer("I prefer tea. The sky is blue.") == "- preference: I prefer tea."


def test_plain_answer_to_nothing_notable_begins_with_the_input() -> None:
    assert plain_answer("The sky is blue.") == "The sky is blue."
