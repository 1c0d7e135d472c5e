"""Every case of the built-in Agents on the offline model: that it can be done, not how well."""

from pydantic import SecretStr

from infra.evals.__main__ import chosen, perform_all
from infra.evals.site import OFFLINE, chosen_model, runner_handlers
from infra.evals.world import seed
from shared.settings import RunnerSettings
from shared.store.mongo import Mongo

PARALLEL = 4


async def test_every_case_is_answered_and_no_effect_is_lost_without_a_reason(mongo: Mongo) -> None:
    work = chosen([], [])
    await seed(mongo.database, ((spec.key, case) for spec, case in work))

    settings = RunnerSettings(openai_api_key=SecretStr(""), openai_base_url=None)
    async with chosen_model(settings) as model, runner_handlers(model, mongo) as handlers:
        performances = await perform_all(work, handlers, PARALLEL)

    assert model.name == OFFLINE
    assert [f"{each.agent} {each.case.id}: {each.error}" for each in performances if each.error] == []
    for each in performances:
        kept = [effect["index"] for effect in each.effects if effect["dropped"] is None]
        assert all(effect["dropped"] for effect in each.effects if effect["index"] not in kept)
        assert len(each.proposals) == len(kept), each.case.id
    assert {each.agent for each in performances if each.proposals} >= {
        "today_checkin_processor",
        "docs_memory_reviewer",
    }
