"""The samples can be published, say what their page says, and are answered by the offline model as they want."""

from pathlib import Path

import orjson
import pytest
from jsonschema import Draft202012Validator

from contracts.agents import AgentSpec, CronSchedule, ForEach, IntervalSchedule, Schedule
from infra.local.processes import ROOT
from infra.offline_model.answers import json_answer
from infra.offline_model.strict import strict_errors
from services.cli.agent_toml import agent_of
from services.runner.agents.prompt import render_input
from services.runner.tools.registry import TOOLS
from shared.domain.agent_check import checked
from shared.domain.schedule_warnings import schedule_warnings
from tests.architecture.repository import first_cells, page

FILES = sorted((ROOT / "samples").glob("*.toml"))
EVENT = {"type": "schedule.fired", "userid": "ada", "projectid": "apollo", "data": {"agent_key": "archival"}}


def spec_of(file: Path) -> AgentSpec:
    return checked(agent_of(file.read_text()))


def test_the_page_lists_every_sample() -> None:
    assert set(first_cells(page("samples/README.md"))) == {file.name for file in FILES}


@pytest.mark.parametrize(
    ("key", "schedule", "for_each"),
    [
        ("archival", IntervalSchedule(every_seconds=86_400), ForEach.MEMBER),
        ("health_check", IntervalSchedule(every_seconds=60), ForEach.ORGANISATION),
        ("content_aggregator", CronSchedule(cron="0 * * * *"), ForEach.MEMBER),
    ],
)
def test_a_sample_fires_as_its_page_says(key: str, schedule: Schedule, for_each: ForEach) -> None:
    trigger = spec_of(ROOT / "samples" / f"{key}.toml").schedule_trigger

    assert trigger is not None
    assert (trigger.schedule, trigger.for_each) == (schedule, for_each)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_can_be_published_and_its_tools_are_there(file: Path) -> None:
    spec = spec_of(file)

    assert (spec.key, spec.visibility, spec.auto_start) == (file.stem, "organisation", False)
    assert set(spec.tools) <= set(TOOLS)
    assert schedule_warnings(spec) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_sample_is_answered_as_its_schema_wants(file: Path) -> None:
    spec = spec_of(file)
    assert spec.output_schema is not None

    answer = orjson.loads(json_answer(render_input(EVENT, spec.memory, (), spec.environment), spec.output_schema))

    assert strict_errors(spec.output_schema) == []
    assert list(Draft202012Validator(spec.output_schema).iter_errors(answer)) == []
