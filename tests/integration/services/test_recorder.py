"""Steps of attempts: what was paid for once is read, not paid for again."""

from typing import Any

import pytest

from services.runner.recorder import StepLost, StepRecorder
from shared.domain.run import Claim
from shared.store.mongo import Mongo
from shared.store.steps import StepStore
from tests.unit.shared.given import NOW

FIRST, SECOND = Claim("run_1", 1, "runner-1"), Claim("run_1", 2, "runner-2")


class Calls:
    """Calls that answer with their number, or fail when they are told to."""

    def __init__(self) -> None:
        self.made = 0
        self.error: Exception | None = None

    async def __call__(self) -> dict[str, Any]:
        self.made += 1
        if self.error is not None:
            raise self.error
        return {"answer": self.made}


def recorder(mongo: Mongo, claim: Claim) -> StepRecorder:
    return StepRecorder(StepStore(mongo.database), claim, lambda: NOW)


async def ask(steps: StepRecorder, calls: Calls, question: str = "how?") -> dict[str, Any]:
    return await steps.step("model_call", {"question": question}, calls)


async def test_each_step_is_called_and_recorded_in_its_order(mongo: Mongo) -> None:
    calls, steps = Calls(), recorder(mongo, FIRST)

    answers = [await ask(steps, calls, question) for question in ("how?", "why?")]

    recorded = await StepStore(mongo.database).of_run("run_1")
    assert answers == [{"answer": 1}, {"answer": 2}]
    assert [(step["index"], step["result_json"]) for step in recorded] == [(0, '{"answer":1}'), (1, '{"answer":2}')]


async def test_a_resumed_attempt_reads_what_was_finished_and_calls_for_the_rest(mongo: Mongo) -> None:
    calls = Calls()
    first = recorder(mongo, FIRST)
    await ask(first, calls, "how?")
    calls.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        await ask(first, calls, "why?")
    calls.error = None

    second = recorder(mongo, SECOND)
    answers = [await ask(second, calls, question) for question in ("how?", "why?")]

    assert answers == [{"answer": 1}, {"answer": 3}]
    assert calls.made == 3
    assert [step["attempt"] for step in await StepStore(mongo.database).of_run("run_1")] == [1, 2]


async def test_another_question_is_asked_although_an_answer_to_the_old_one_is_there(mongo: Mongo) -> None:
    calls = Calls()
    await ask(recorder(mongo, FIRST), calls, "how?")

    assert await ask(recorder(mongo, SECOND), calls, "how exactly?") == {"answer": 2}
    assert await ask(recorder(mongo, Claim("run_1", 3, "runner-1")), calls, "how exactly?") == {"answer": 2}


async def test_the_order_in_which_a_question_was_written_does_not_matter(mongo: Mongo) -> None:
    calls = Calls()
    await recorder(mongo, FIRST).step("model_call", {"a": 1, "b": {"c": 2, "d": 3}}, calls)

    answer = await recorder(mongo, SECOND).step("model_call", {"b": {"d": 3, "c": 2}, "a": 1}, calls)

    assert (answer, calls.made) == ({"answer": 1}, 1)


async def test_an_attempt_that_was_overtaken_makes_no_call(mongo: Mongo) -> None:
    calls = Calls()
    calls.error = ConnectionError("gone")
    with pytest.raises(ConnectionError):
        await ask(recorder(mongo, SECOND), calls)
    calls.error = None

    with pytest.raises(StepLost):
        await ask(recorder(mongo, FIRST), calls)

    assert calls.made == 1


async def test_an_attempt_that_is_overtaken_during_its_call_does_not_go_on(mongo: Mongo) -> None:
    calls = Calls()

    async def overtaken() -> dict[str, Any]:
        await ask(recorder(mongo, SECOND), calls)
        return {"answer": "mine"}

    with pytest.raises(StepLost, match="belongs to a later attempt than 1"):
        await recorder(mongo, FIRST).step("model_call", {"question": "how?"}, overtaken)

    (step,) = await StepStore(mongo.database).of_run("run_1")
    assert (step["attempt"], step["result_json"]) == (2, '{"answer":1}')


async def test_an_answer_that_came_just_in_time_is_taken_instead_of_paid_for_again(mongo: Mongo) -> None:
    calls, second = Calls(), recorder(mongo, SECOND)
    # The later attempt has read the record before the earlier one, still at work, finishes its call.
    await ask(second, calls, "first?")
    late = recorder(mongo, FIRST)
    late._next = 1
    await ask(late, calls, "how?")

    assert await ask(second, calls, "how?") == {"answer": 2}
    assert calls.made == 2
