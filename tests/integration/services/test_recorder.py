"""Steps of attempts: what was paid for once is read, not paid for again."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any

import pytest

from services.runner.recorder import Step, StepLost, StepRecorder, StepsRefused
from shared.domain.run import Claim
from shared.errors import StorageUnavailable
from shared.llm.errors import ModelUnavailable
from shared.store.mongo import Mongo
from shared.store.steps import StepStore
from tests.unit.shared.given import NOW

FIRST, SECOND = Claim("run_1", 1, "runner-1"), Claim("run_1", 2, "runner-2")


class Calls:
    """Calls that answer with their number, or fail when they are told to."""

    def __init__(self) -> None:
        self.made = 0
        self.error: Exception | None = None

    async def __call__(self, step: Step) -> dict[str, Any]:
        self.made += 1
        if self.error is not None:
            raise self.error
        return {"answer": self.made}


def recorder(mongo: Mongo, claim: Claim) -> StepRecorder:
    return StepRecorder(StepStore(mongo.database), claim, lambda: NOW)


async def ask(steps: StepRecorder, calls: Calls, question: str = "how?") -> dict[str, Any]:
    return await steps.step("model_call", "deep", {"question": question}, calls)


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
    await recorder(mongo, FIRST).step("model_call", "deep", {"a": 1, "b": {"c": 2, "d": 3}}, calls)

    answer = await recorder(mongo, SECOND).step("model_call", "deep", {"b": {"d": 3, "c": 2}, "a": 1}, calls)

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

    async def overtaken(_: Step) -> dict[str, Any]:
        await ask(recorder(mongo, SECOND), calls)
        return {"answer": "mine"}

    with pytest.raises(StepLost, match="belongs to a later attempt than 1"):
        await recorder(mongo, FIRST).step("model_call", "deep", {"question": "how?"}, overtaken)

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


async def test_the_next_attempt_is_told_what_was_noted_during_an_interrupted_call(mongo: Mongo) -> None:
    async def interrupted(step: Step) -> dict[str, Any]:
        await step.note({"response_id": "resp_1"})
        await step.note({"seen": 1})
        raise ConnectionError("gone")

    async def resumed(step: Step) -> dict[str, Any]:
        return dict(step.earlier)

    with pytest.raises(ConnectionError):
        await recorder(mongo, FIRST).step("model_call", "deep", {}, interrupted)

    told = await recorder(mongo, SECOND).step("model_call", "deep", {}, resumed)

    assert told == {"response_id": "resp_1", "seen": 1}


async def test_an_attempt_that_is_overtaken_can_note_nothing_more(mongo: Mongo) -> None:
    async def overtaken(step: Step) -> dict[str, Any]:
        await ask(recorder(mongo, SECOND), Calls())
        await step.note({"response_id": "resp_1"})
        return {}

    with pytest.raises(StepLost):
        await recorder(mongo, FIRST).step("model_call", "deep", {"question": "how?"}, overtaken)


async def test_why_a_call_failed_is_seen_with_its_step(mongo: Mongo) -> None:
    calls = Calls()
    calls.error = ModelUnavailable("The provider is away.")
    with pytest.raises(ModelUnavailable):
        await ask(recorder(mongo, FIRST), calls)

    (step,) = await StepStore(mongo.database).of_run("run_1")
    error = {"code": "model_unavailable", "detail": "The provider is away.", "at": NOW, "attempt": 1}
    assert (step["error"], step["finished_at"]) == (error, None)


async def test_an_attempt_that_is_to_end_makes_no_more_calls(mongo: Mongo) -> None:
    calls, steps = Calls(), recorder(mongo, FIRST)
    await ask(steps, calls)
    steps.is_closed = True

    with pytest.raises(StepsRefused, match="run_1 is to end"):
        await ask(steps, calls)

    assert calls.made == 1
    assert len(await StepStore(mongo.database).of_run("run_1")) == 1


async def test_steps_that_go_on_together_are_numbered_as_they_were_asked_for(mongo: Mongo) -> None:
    may_end = [asyncio.Event() for _ in range(3)]
    steps = recorder(mongo, FIRST)

    def call(number: int) -> Awaitable[dict[str, Any]]:
        async def made(_: Step) -> dict[str, Any]:
            await may_end[number].wait()
            if number:
                may_end[number - 1].set()
            return {"answer": number}

        return steps.step("tool_call", "look", {}, made)

    may_end[2].set()
    # Neither the order in which they are awaited nor the one in which they end matters.
    in_order = [call(number) for number in range(3)]
    await asyncio.gather(*reversed(in_order))

    recorded = await StepStore(mongo.database).of_run("run_1")
    assert [step["result_json"] for step in recorded] == [f'{{"answer":{number}}}' for number in range(3)]


async def test_a_result_that_was_paid_for_is_recorded_once_mongodb_is_back(mongo: Mongo) -> None:
    class AwayOnce(StepStore):
        refusals = 1

        async def finish(self, claim: Claim, index: int, finished_at: datetime, result: Mapping[str, Any]) -> bool:
            if self.refusals:
                self.refusals -= 1
                raise StorageUnavailable("away")
            return await super().finish(claim, index, finished_at, result)

    calls = Calls()

    assert await ask(StepRecorder(AwayOnce(mongo.database), FIRST, lambda: NOW), calls) == {"answer": 1}
    assert await ask(recorder(mongo, SECOND), calls) == {"answer": 1}
