"""The samples work on the offline model with the tools that there are, for a member and for the organisation."""

from pathlib import Path

import orjson
import pytest

from infra.local.processes import ROOT
from infra.offline_model.server import serving
from services.cli.agent_toml import agent_of
from services.runner.tools.registry import TOOLS
from services.scheduler.fire import fire
from shared.clock import utc_now
from shared.domain.agent_check import checked
from shared.llm.openai_client import OpenAIModel
from shared.store.events import EventStore
from shared.store.members import Member, whole_organisation
from shared.store.mongo import Mongo
from shared.store.schedules import ScheduleInForce
from tests.integration.services.agents import Bench
from tests.integration.store.given import accepted
from tests.unit.shared.given import NOW

FILES = sorted((ROOT / "samples").glob("*.toml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_sample_answers_its_fire_after_it_has_looked(mongo: Mongo, file: Path) -> None:
    spec = checked(agent_of(file.read_text()))
    trigger = spec.schedule_trigger
    assert trigger is not None
    assert trigger.schedule is not None
    member = Member("acme", "apollo", "ada") if trigger.for_each == "member" else whole_organisation("acme")
    event = fire(ScheduleInForce(spec.key, member, trigger.schedule, NOW, NOW), NOW, NOW)
    await EventStore(mongo.database).accept([accepted("plan", projectid="apollo", userid="ada")])
    bench = Bench(mongo, spec, tools=tuple(TOOLS.values()))
    attempt = bench.attempt()
    attempt.event = orjson.loads(event.to_json())
    attempt.run |= {"project": event.projectid, "user": event.userid}

    async with serving() as address:
        model = OpenAIModel("offline", f"{address}/v1", utc_now)
        done = await bench.agent_on(model)(attempt)
        await model.close()

    assert isinstance(done.output["summary"], str)
    assert {step["name"] for step in await bench.recorded() if step["kind"] == "tool_call"} == set(spec.tools)
