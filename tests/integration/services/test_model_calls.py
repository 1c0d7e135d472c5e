"""Model calls in the background: noted before they are waited for, found again, and ended when nobody wants them."""

import asyncio
from typing import Any

import pytest

from contracts.agents import AgentSpec, CallMode
from services.runner.abandon import Abandonment
from shared.domain.run import Usage
from shared.errors import AppError
from shared.llm.errors import ModelRefused, ModelUnavailable
from shared.llm.port import Background, ModelRequest, ModelResponse
from shared.llm.port import Usage as ModelUsage
from shared.store.mongo import Mongo
from shared.testing.model import ScriptedModel, Silence, Step
from tests.integration.services.agents import Bench, said
from tests.support.waiting import until_seen
from tests.unit.shared.given import a_spec

TEXT = a_spec("noter", handler="llm")


def in_background(mongo: Mongo, spec: AgentSpec = TEXT) -> Bench:
    return Bench(mongo, spec, mode=CallMode.BACKGROUND)


def with_mode(mode: CallMode | None, **changes: Any) -> AgentSpec:
    return a_spec("noter", handler="llm", model={"mode": mode}, **changes)


class Spying(ScriptedModel):
    """Tells how it was called; what is cancelled had used something."""

    def __init__(self, *steps: Step) -> None:
        super().__init__(*steps)
        self.backgrounds: list[Background | None] = []
        self.timeouts: list[float] = []
        self.cancel_error: AppError | None = None

    def answer_now(self, response_id: str, text: str) -> None:
        self._kept[response_id] = text

    async def respond(
        self, request: ModelRequest, timeout_seconds: float, background: Background | None = None
    ) -> ModelResponse:
        self.backgrounds.append(background)
        self.timeouts.append(timeout_seconds)
        return await super().respond(request, timeout_seconds, background)

    async def cancel(self, response_id: str, timeout_seconds: float) -> ModelUsage | None:
        await super().cancel(response_id, timeout_seconds)
        if self.cancel_error is not None:
            raise self.cancel_error
        return ModelUsage(7, 3)


async def interrupted(bench: Bench, model: Spying, index: int = 0, *, is_cancelled: bool = False) -> Usage:
    """Interrupt an attempt while its step `index` waits for the model, and return what it counts as used."""
    attempt = bench.attempt()
    task = asyncio.create_task(bench.agent_on(model)(attempt))
    await until_seen(bench.recorded, lambda steps: any(step["index"] == index and "facts" in step for step in steps))
    attempt.is_cancelled = is_cancelled
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return attempt.usage


async def test_a_response_is_noted_before_its_answer_is_waited_for(mongo: Mongo) -> None:
    bench = in_background(mongo)

    await interrupted(bench, Spying(Silence()))

    (step,) = await bench.recorded()
    assert (step["facts"], step["finished_at"]) == ({"response_id": "resp_scripted_1"}, None)


async def test_the_next_attempt_finds_the_response_again_instead_of_paying_for_another(mongo: Mongo) -> None:
    bench, model = in_background(mongo), Spying(Silence())
    await interrupted(bench, model)
    model.answer_now("resp_scripted_1", "All is well.")

    done = await bench.agent_on(model)(bench.attempt(2))

    assert done.output == {"text": "All is well."}
    assert (len(model.requests), model.retrieved, model.cancelled) == (1, ["resp_scripted_1"], [])


async def test_a_cancelled_run_ends_its_response_and_counts_what_that_used(mongo: Mongo) -> None:
    bench, model = in_background(mongo), Spying(Silence())

    used = await interrupted(bench, model, is_cancelled=True)

    assert (model.cancelled, used) == (["resp_scripted_1"], Usage(7, 3, 1))


async def test_a_provider_that_does_not_cancel_holds_nobody_up(mongo: Mongo) -> None:
    bench, model = in_background(mongo), Spying(Silence())
    model.cancel_error = ModelUnavailable("gone")

    assert await interrupted(bench, model, is_cancelled=True) == Usage(0, 0, 1)


@pytest.mark.parametrize(
    ("organisation", "agent", "runner", "is_kept"),
    [
        (None, None, CallMode.PLAIN, False),
        (None, None, CallMode.BACKGROUND, True),
        (None, CallMode.PLAIN, CallMode.BACKGROUND, False),
        (None, CallMode.BACKGROUND, CallMode.PLAIN, True),
        (CallMode.PLAIN, CallMode.BACKGROUND, CallMode.BACKGROUND, False),
        (CallMode.BACKGROUND, CallMode.PLAIN, CallMode.PLAIN, True),
    ],
)
async def test_the_organisation_decides_before_the_agent_and_the_agent_before_the_runner(
    mongo: Mongo, organisation: CallMode | None, agent: CallMode | None, runner: CallMode, *, is_kept: bool
) -> None:
    bench, model = Bench(mongo, with_mode(agent), mode=runner), Spying("All is well.")
    attempt = bench.attempt()
    attempt.call_mode = organisation

    await bench.agent_on(model)(attempt)

    assert [background is not None for background in model.backgrounds] == [is_kept]


async def test_a_response_that_is_kept_is_found_again_even_when_no_more_shall_be_kept(mongo: Mongo) -> None:
    model = Spying(Silence())
    await interrupted(in_background(mongo), model)
    model.answer_now("resp_scripted_1", "All is well.")

    await Bench(mongo, TEXT).agent_on(model)(Bench(mongo, TEXT).attempt(2))

    assert model.retrieved == ["resp_scripted_1"]


async def test_a_response_that_failed_itself_is_not_looked_for_again(mongo: Mongo) -> None:
    bench = in_background(mongo)
    refused = ModelRefused("No.", ModelUsage(7, 3), response_id="resp_scripted_1")
    with pytest.raises(ModelRefused):
        await bench.agent_on(Spying(refused))(bench.attempt(1))

    model = Spying("All is well.")
    await bench.agent_on(model)(bench.attempt(2))

    assert model.backgrounds[0] is not None
    assert model.backgrounds[0].response_id is None


async def test_an_agent_may_have_its_own_time_for_a_call(mongo: Mongo) -> None:
    bench, model = Bench(mongo, with_mode(None, call_timeout_seconds=3)), Spying("All is well.")

    await bench.agent_on(model)(bench.attempt())

    assert model.timeouts == [3]


async def test_what_a_lost_runner_left_open_is_ended_and_everything_that_was_used_is_counted(mongo: Mongo) -> None:
    bench = in_background(mongo, a_spec("noter", handler="llm", output_schema={"type": "object"}))
    model = Spying(said("no", 20, 4), Silence())
    await interrupted(bench, model, 1)

    used = await Abandonment(bench.steps, model)("run_1")

    assert (model.cancelled, used) == (["resp_scripted_2"], Usage(27, 7, 2))
    assert await Abandonment(bench.steps, model)("run_2") == Usage()
