"""Steps: intended and finished under the claim of one attempt."""

import asyncio
from dataclasses import replace
from typing import Any

import orjson

from shared.domain.run import Claim
from shared.store.mongo import Mongo
from shared.store.steps import Intent, StepStore
from tests.unit.shared.given import LATER, NOW

FIRST, SECOND = Claim("run_1", 1, "runner-1"), Claim("run_1", 2, "runner-2")
INTENT = Intent(FIRST, 0, "model_call", "deep", "hash", NOW)
TAKEN_OVER = replace(INTENT, claim=SECOND, started_at=LATER)
RESULT = {"text": "well"}
FACTS = {"response_id": "resp_1"}


async def test_a_step_is_an_intent_before_its_call_and_a_result_after(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)

    assert await steps.intend(INTENT) == {}
    (intended,) = await steps.of_run("run_1")
    assert await steps.finish(FIRST, 0, LATER, RESULT)
    (finished,) = await steps.of_run("run_1")

    assert (intended["started_at"], intended["finished_at"]) == (NOW, None)
    assert (finished["finished_at"], await steps.result_of(finished)) == (LATER, RESULT)
    assert (finished["kind"], finished["name"], finished["request_hash"]) == ("model_call", "deep", "hash")
    assert (finished["schema"], finished["attempt"]) == (2, 1)


async def test_steps_come_in_their_order_and_of_their_run(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    for index in (2, 0, 1):
        await steps.intend(replace(INTENT, index=index))
    await steps.intend(replace(INTENT, claim=Claim("run_2", 1, "runner-1")))

    assert [(step["run_id"], step["index"]) for step in await steps.of_run("run_1")] == [
        ("run_1", 0),
        ("run_1", 1),
        ("run_1", 2),
    ]


async def test_a_later_attempt_takes_over_an_intent_that_was_left(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)

    assert await steps.intend(TAKEN_OVER) == {}
    assert not await steps.finish(FIRST, 0, LATER, RESULT)
    assert await steps.finish(SECOND, 0, LATER, RESULT)


async def test_an_earlier_attempt_takes_nothing_over(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(TAKEN_OVER)

    assert await steps.intend(INTENT) is None
    assert await steps.intend(replace(INTENT, request_hash="another")) is None
    assert (await steps.of_run("run_1"))[0]["attempt"] == 2


async def test_a_result_is_not_paid_for_again(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)
    await steps.finish(FIRST, 0, LATER, RESULT)

    assert await steps.intend(TAKEN_OVER) is None
    (step,) = await steps.of_run("run_1")
    assert await steps.result_of(step) == RESULT


async def test_the_result_of_another_request_gives_way_to_a_later_attempt(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)
    await steps.note(FIRST, 0, FACTS)
    await steps.finish(FIRST, 0, LATER, RESULT)

    assert await steps.intend(replace(TAKEN_OVER, request_hash="another")) == {}

    (step,) = await steps.of_run("run_1")
    assert (step["attempt"], step["request_hash"], step["finished_at"]) == (2, "another", None)
    assert not {"result_json", "facts"} & step.keys()


async def test_a_step_is_finished_once(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)
    await steps.finish(FIRST, 0, LATER, RESULT)

    assert not await steps.finish(FIRST, 0, LATER, {"text": "other"})
    assert not await steps.finish(FIRST, 1, LATER, RESULT)


async def test_what_is_written_again_because_nobody_knew_of_it_is_written(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)

    assert [await steps.note(FIRST, 0, FACTS) for _ in range(2)] == [True, True]
    assert [await steps.finish(FIRST, 0, LATER, RESULT) for _ in range(2)] == [True, True]


async def test_of_attempts_at_once_the_latest_has_the_step(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    claims = [Claim("run_1", attempt, f"runner-{attempt}") for attempt in range(1, 9)]

    await asyncio.gather(*(steps.intend(replace(INTENT, claim=claim)) for claim in claims))

    assert (await steps.of_run("run_1"))[0]["attempt"] == 8


async def test_facts_of_an_unfinished_call_are_handed_to_the_attempt_that_takes_it_over(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)
    await steps.note(FIRST, 0, FACTS)

    assert await steps.intend(TAKEN_OVER) == FACTS
    assert not await steps.note(FIRST, 0, {"response_id": "resp_late"})
    assert await steps.intend(replace(TAKEN_OVER, claim=Claim("run_1", 3, "runner-3"))) == FACTS


async def test_facts_of_another_request_are_nothing_to_go_on(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)
    await steps.note(FIRST, 0, FACTS)

    assert await steps.intend(replace(TAKEN_OVER, request_hash="another")) == {}


async def test_the_error_of_an_attempt_stays_with_the_step_when_a_later_one_succeeds(mongo: Mongo) -> None:
    steps = StepStore(mongo.database)
    await steps.intend(INTENT)
    await steps.fail(FIRST, 0, "model_unavailable", "Gone.", LATER)
    await steps.intend(TAKEN_OVER)
    await steps.finish(SECOND, 0, LATER, RESULT)

    (step,) = await steps.of_run("run_1")
    assert step["error"] == {"code": "model_unavailable", "detail": "Gone.", "at": LATER, "attempt": 1}
    assert (step["attempt"], step["finished_at"]) == (2, LATER)


async def test_a_large_result_is_kept_beside_the_step(mongo: Mongo) -> None:
    steps, large = StepStore(mongo.database), {"text": "x" * 300_000}
    await steps.intend(INTENT)

    assert await steps.finish(FIRST, 0, LATER, large)

    (step,) = await steps.of_run("run_1")
    assert "result_json" not in step
    assert step["result_bytes"] == len(orjson.dumps(large))
    assert await steps.result_of(step) == large


async def test_a_step_of_the_first_schema_is_read_and_taken_over(mongo: Mongo) -> None:
    def first_schema(index: int, **changes: Any) -> dict[str, Any]:
        return {
            "_id": f"run_1:{index}",
            "run_id": "run_1",
            "index": index,
            "kind": "model_call",
            "request_hash": "hash",
            "attempt": 1,
            "started_at": NOW,
            "finished_at": None,
            **changes,
        }

    done = first_schema(1, finished_at=LATER, result_json='{"text":"well"}')
    await mongo.database["steps"].insert_many([first_schema(0), done])
    steps = StepStore(mongo.database)

    assert await steps.intend(TAKEN_OVER) == {}
    taken_over, finished = await steps.of_run("run_1")
    assert (taken_over["schema"], taken_over["name"], taken_over["attempt"]) == (2, "deep", 2)
    assert (finished["schema"], finished["name"], await steps.result_of(finished)) == (2, "model_call", RESULT)
