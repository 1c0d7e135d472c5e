"""Steps: intended and finished under the claim of one attempt."""

import asyncio

from shared.domain.run import Claim
from shared.store.mongo import Mongo
from shared.store.steps import StepStore
from tests.unit.shared.given import LATER, NOW

FIRST, SECOND = Claim("run_1", 1, "runner-1"), Claim("run_1", 2, "runner-2")
RESULT = {"result_json": '{"text":"well"}'}


async def test_a_step_is_an_intent_before_its_call_and_a_result_after(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)

    assert await steps.intend(FIRST, 0, "model_call", "hash", NOW)
    (intended,) = await steps.of_run("run_1")
    assert await steps.finish(FIRST, 0, LATER, RESULT)
    (finished,) = await steps.of_run("run_1")

    assert (intended["started_at"], intended["finished_at"]) == (NOW, None)
    assert (finished["finished_at"], finished["result_json"]) == (LATER, RESULT["result_json"])
    assert (finished["kind"], finished["request_hash"], finished["attempt"]) == ("model_call", "hash", 1)


async def test_steps_come_in_their_order_and_of_their_run(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    for index in (2, 0, 1):
        await steps.intend(FIRST, index, "model_call", "hash", NOW)
    await steps.intend(Claim("run_2", 1, "runner-1"), 0, "model_call", "hash", NOW)

    assert [(step["run_id"], step["index"]) for step in await steps.of_run("run_1")] == [
        ("run_1", 0),
        ("run_1", 1),
        ("run_1", 2),
    ]


async def test_a_later_attempt_takes_over_an_intent_that_was_left(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(FIRST, 0, "model_call", "hash", NOW)

    assert await steps.intend(SECOND, 0, "model_call", "hash", LATER)
    assert not await steps.finish(FIRST, 0, LATER, RESULT)
    assert await steps.finish(SECOND, 0, LATER, RESULT)


async def test_an_earlier_attempt_takes_nothing_over(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(SECOND, 0, "model_call", "hash", NOW)

    assert not await steps.intend(FIRST, 0, "model_call", "hash", LATER)
    assert not await steps.intend(FIRST, 0, "model_call", "another", LATER)
    assert (await steps.of_run("run_1"))[0]["attempt"] == 2


async def test_a_result_is_not_paid_for_again(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(FIRST, 0, "model_call", "hash", NOW)
    await steps.finish(FIRST, 0, LATER, RESULT)

    assert not await steps.intend(SECOND, 0, "model_call", "hash", LATER)
    assert (await steps.of_run("run_1"))[0]["result_json"] == RESULT["result_json"]


async def test_the_result_of_another_request_gives_way_to_a_later_attempt(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(FIRST, 0, "model_call", "hash", NOW)
    await steps.finish(FIRST, 0, LATER, RESULT)

    assert await steps.intend(SECOND, 0, "model_call", "another", LATER)

    (step,) = await steps.of_run("run_1")
    assert (step["attempt"], step["request_hash"], step["finished_at"]) == (2, "another", None)
    assert "result_json" not in step


async def test_a_step_is_finished_once(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(FIRST, 0, "model_call", "hash", NOW)
    await steps.finish(FIRST, 0, LATER, RESULT)

    assert not await steps.finish(FIRST, 0, LATER, {"result_json": '"other"'})
    assert not await steps.finish(FIRST, 1, LATER, RESULT)


async def test_of_attempts_at_once_the_latest_has_the_step(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    claims = [Claim("run_1", attempt, f"runner-{attempt}") for attempt in range(1, 9)]

    await asyncio.gather(*(steps.intend(claim, 0, "model_call", "hash", NOW) for claim in claims))

    assert (await steps.of_run("run_1"))[0]["attempt"] == 8
