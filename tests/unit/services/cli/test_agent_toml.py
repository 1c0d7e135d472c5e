"""Agents as files: what is written is read again, and what is wrong is named."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cli.agent_toml import agent_of, file_of, toml_of
from shared.catalog.builtin import builtin_agents
from tests.unit.shared.given import a_spec

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.text("\"\\\n\t\r\x7f'", max_size=8)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_is_read_again(content: dict[str, Any]) -> None:
    assert tomllib.loads(toml_of(content)) == content


@pytest.mark.parametrize("agent", builtin_agents(900), ids=lambda agent: agent.key)
def test_every_built_in_agent_comes_back_from_its_file(agent: Any) -> None:
    read = agent_of(file_of(agent.model_dump(mode="json")))

    assert type(agent).model_validate(read) == agent


def test_limits_that_are_taken_off_come_back() -> None:
    endless = a_spec(run_timeout_seconds=None, limits={"request_limit": None}, output_schema={"enum": [None, "x"]})

    read = agent_of(file_of(endless.model_dump(mode="json")))

    assert type(endless).model_validate(read) == endless


def test_schemas_are_written_as_json_and_come_back() -> None:
    custom = a_spec(effects=["custom"], output_schema={"enum": [None]}, proposal_schema={"const": None})

    text = file_of(custom.model_dump(mode="json"))

    assert type(custom).model_validate(agent_of(text)) == custom


def test_a_file_says_only_what_differs_from_the_defaults() -> None:
    assert file_of(a_spec().model_dump(mode="json")) == 'key = "noter"\nname = "Noter"\nhandler = "noop"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('key = "noter"\nname =\n', "line 2"),
        ('name = "Noter"', "key:"),
        ('key = "No/Ter"', "key:"),
        ('key = "noter"\nsince = 2026-11-20', "a date"),
        ('key = "noter"\noutput_schema = "{"', "output_schema:"),
        ('key = "noter"\nproposal_schema = "{"', "proposal_schema:"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        agent_of(text)
