"""What an author is told about an Agent that cannot be published."""

from typing import Any

import pytest

from shared.catalog.builtin import builtin_agents
from shared.domain.agent_check import AgentUnfit, checked

NOTER: dict[str, Any] = {"key": "noter", "name": "Noter"}


@pytest.mark.parametrize("agent", builtin_agents(900), ids=lambda agent: agent.key)
def test_every_built_in_agent_is_fit(agent: Any) -> None:
    assert checked(agent.model_dump(mode="json")) == agent


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"nmae": "Noter"}, "nmae", "not a field of an Agent. Did you mean 'name'?"),
        ({"name": ""}, "name", "at least 1"),
        ({"retry_attempts": 6}, "retry_attempts", "at most 5"),
        ({"priority_level": "urgent"}, "priority_level", "'urgent'"),
        ({"model": {"tier": "huge"}}, "model.tier", "'huge'"),
        (
            {"triggers": [{"event": "doc.create", "target": {"type": "doc", "id": "{id}"}}]},
            "triggers.0.event",
            "Did you mean 'doc.created'?",
        ),
        ({"output_schema": {"type": "objekt"}}, "output_schema.type", "no JSON Schema"),
        (
            {"effects": ["custom"], "proposal_schema": {"type": "objekt"}},
            "proposal_schema.type",
            "no JSON Schema",
        ),
        ({"effects": ["custom"]}, "proposal_schema", "since effects has 'custom'"),
        ({"effects": ["epic"], "proposal_schema": {}}, "proposal_schema", "add 'custom' to effects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_error_names_the_field_and_what_is_wrong(wrong: dict[str, Any], field: str, told: str) -> None:
    with pytest.raises(AgentUnfit) as refused:
        checked(NOTER | wrong)

    (error,) = refused.value.errors
    assert error.field == field
    assert told in error.message


def test_custom_proposals_come_with_their_schema() -> None:
    schema = {"type": "object", "required": ["number"]}

    assert checked({**NOTER, "effects": ["custom"], "proposal_schema": schema}).proposal_schema == schema


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(AgentUnfit) as refused:
        checked({"key": "noter", "retry_attempts": -1})

    assert {error.field for error in refused.value.errors} == {"name", "retry_attempts"}


def test_queries_need_their_handler_the_users_memory_and_memory_diffs() -> None:
    query = {"target": "journey.blockers", "question": "What blocks?"}
    fit = {"key": "grader", "name": "Grader", "handler": "queries", "memory": ["user"], "effects": ["memory_diff"]}
    assert checked({**fit, "queries": [query]}).queries[0].block_label == "journey"

    with pytest.raises(AgentUnfit) as raised:
        checked({"key": "grader", "name": "Grader", "queries": [query], "output_schema": {}})
    assert [error.field for error in raised.value.errors] == ["handler", "memory", "effects", "output_schema"]

    with pytest.raises(AgentUnfit) as raised:
        checked(fit)
    assert [error.field for error in raised.value.errors] == ["queries"]
