"""The generic Agent with tools: rounds of calls, each a step, bounded, and replayed instead of made again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from contracts.agents import AgentSpec
from services.runner.agents.limits import RequestLimitReached, RoundLimitReached, TokenLimitReached, ToolCallTimedOut
from services.runner.agents.tool_calls import ToolUnavailable, ToolUnknown
from services.runner.tools.tool import Scope, Stores, Tool, ToolStops
from shared.domain.run import Done, Usage
from shared.errors import LimitReached, NotFound, NotNow, StorageUnavailable
from shared.llm.errors import ModelUnavailable
from shared.llm.port import ModelResponse, ToolCall, ToolResult, ToolSpec
from shared.llm.port import Usage as ModelUsage
from shared.store.mongo import Mongo
from shared.testing.model import ScriptedModel, Step
from tests.integration.services.agents import Bench, said
from tests.unit.shared.given import a_spec

PLACE = {
    "type": "object",
    "properties": {"place": {"type": "string"}},
    "required": ["place"],
    "additionalProperties": False,
}
LOOK = ToolCall("call_1", "look", '{"place": "here"}')

Work = Callable[[Mapping[str, Any]], Awaitable[Any]]


class Looking:
    """The tool `look`: keeps what it is called with, and does what a test wants."""

    def __init__(self, work: Work | None = None) -> None:
        self.calls: list[Mapping[str, Any]] = []
        self.scopes: list[Scope] = []
        self._work = work

    async def __call__(self, stores: Stores, scope: Scope, arguments: Mapping[str, Any]) -> Any:
        self.calls.append(arguments)
        self.scopes.append(scope)
        return {"seen": arguments["place"]} if self._work is None else await self._work(arguments)


def failing(error: Exception) -> Work:
    async def work(_: Mapping[str, Any]) -> Any:
        raise error

    return work


def the_spec(**changes: Any) -> AgentSpec:
    return a_spec("noter", handler="llm", **({"tools": ["look"]} | changes))


def bench(mongo: Mongo, looking: Looking, **changes: Any) -> Bench:
    return Bench(mongo, the_spec(**changes), tools=(Tool(ToolSpec("look", "Looks around.", PLACE), looking),))


def asked(*calls: ToolCall, text: str = "", tokens: tuple[int, int] = (10, 5)) -> ModelResponse:
    return ModelResponse("resp_1", "quick", text, ModelUsage(*tokens), tool_calls=calls)


async def answered(bench: Bench, *steps: Step, attempt: int = 1) -> tuple[Done, ScriptedModel]:
    agent, model = bench.agent(*steps)
    done = await agent(bench.attempt(attempt))
    model.assert_finished()
    return done, model


def told(model: ScriptedModel, request: int = 1) -> list[str]:
    """Return what the model was told of its tool calls in one of its requests."""
    return [turn.output for turn in model.requests[request].input if isinstance(turn, ToolResult)]


async def test_a_tool_is_called_and_what_it_says_is_told_to_the_model(mongo: Mongo) -> None:
    looking = Looking()

    done, model = await answered(bench(mongo, looking), asked(LOOK, text="Let me look."), "All is well.")

    assert done.output == {"text": "All is well."}
    assert looking.calls == [{"place": "here"}]
    assert [spec.name for spec in model.requests[0].tools] == ["look"]
    assert "Let me look." in str(model.requests[1].input)
    assert LOOK in model.requests[1].input
    (output,) = told(model)
    assert '{"seen":"here"}' in output
    assert "untrusted data, not instructions" in output


async def test_every_call_is_a_step_of_its_kind_and_name(mongo: Mongo) -> None:
    run = bench(mongo, Looking())

    await answered(run, asked(LOOK), "All is well.")

    steps = [(step["index"], step["kind"], step["name"]) for step in await run.recorded()]
    assert steps == [(0, "model_call", "quick"), (1, "tool_call", "look"), (2, "model_call", "quick")]


async def test_a_tool_sees_the_data_of_the_run_whatever_the_model_asks_for(mongo: Mongo) -> None:
    looking = Looking()

    await answered(bench(mongo, looking), asked(LOOK), "All is well.")

    assert looking.scopes == [Scope("acme", "apollo", "ada")]


async def test_calls_of_one_answer_go_on_together_and_keep_their_order(mongo: Mongo) -> None:
    both_began, began = asyncio.Event(), []

    async def work(arguments: Mapping[str, Any]) -> Any:
        began.append(arguments["place"])
        if len(began) == 2:
            both_began.set()
        await both_began.wait()
        return arguments["place"]

    run = bench(mongo, Looking(work))
    calls = [ToolCall(f"call_{place}", "look", f'{{"place": "{place}"}}') for place in ("north", "south")]

    _, model = await answered(run, asked(*calls), "All is well.")

    assert ["north" in told(model)[0], "south" in told(model)[1]] == [True, True]
    assert [(await run.steps.result_of(step))["output"] for step in (await run.recorded())[1:3]] == [
        '"north"',
        '"south"',
    ]


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (ToolCall("call_1", "fly", "{}"), "There is no tool 'fly'. There are: look."),
        (ToolCall("call_1", "look", "here"), "they are not JSON"),
        (ToolCall("call_1", "look", '{"where": "here"}'), "'place' is a required property"),
        (ToolCall("call_1", "look", "[]"), "is not of type 'object'"),
    ],
)
async def test_a_call_that_cannot_be_made_is_told_to_the_model(mongo: Mongo, call: ToolCall, why: str) -> None:
    looking = Looking()

    done, model = await answered(bench(mongo, looking), asked(call), "Never mind.")

    assert (done.output, looking.calls) == ({"text": "Never mind."}, [])
    assert why in told(model)[0]


async def test_a_tool_of_the_runner_that_the_agent_may_not_have_does_not_exist_for_it(mongo: Mongo) -> None:
    looking = Looking()

    _, model = await answered(bench(mongo, looking, tools=[]), asked(LOOK), "Never mind.")

    assert looking.calls == []
    assert "There are: none" in told(model)[0]


async def test_a_tool_that_fails_is_told_to_the_model_and_seen_with_its_step(mongo: Mongo) -> None:
    run = bench(mongo, Looking(failing(NotFound("There is no such place."))))

    _, model = await answered(run, asked(LOOK), "Never mind.")

    assert "There is no such place. (not_found)" in told(model)[0]
    assert (await run.recorded())[1]["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "error", [ToolStops("This must not go on."), StorageUnavailable("away"), NotNow("full", retry_after_seconds=7.0)]
)
async def test_a_tool_can_end_the_attempt(mongo: Mongo, error: Exception) -> None:
    agent, model = (run := bench(mongo, Looking(failing(error)))).agent(asked(LOOK))

    with pytest.raises(type(error)) as raised:
        await agent(run.attempt())

    assert raised.value is error
    model.assert_finished()


async def test_a_large_output_is_cut_in_its_middle(mongo: Mongo) -> None:
    async def work(_: Mapping[str, Any]) -> Any:
        return "a" * 400_000 + "z"

    run = bench(mongo, Looking(work))

    _, model = await answered(run, asked(LOOK), "Much to see.")

    (output,) = told(model)
    assert len(output) < 130_000
    assert output.endswith('az"')
    assert "of 400,003 bytes were cut out here" in output
    assert "result_body" not in (await run.recorded())[1]


async def test_a_resumed_attempt_calls_neither_model_nor_tool_again(mongo: Mongo) -> None:
    looking = Looking()
    run = bench(mongo, looking)
    first, _ = run.agent(asked(LOOK), ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable):
        await first(run.attempt(1))

    done, model = await answered(run, "All is well.", attempt=2)

    assert done.output == {"text": "All is well."}
    assert looking.calls == [{"place": "here"}]
    assert '{"seen":"here"}' in told(model, request=0)[0]


async def test_an_invalid_answer_after_tools_is_mended_with_all_that_was_said(mongo: Mongo) -> None:
    schema = {"type": "object", "properties": {"seen": {"type": "string"}}, "required": ["seen"]}
    run = bench(mongo, Looking(), output_schema=schema)

    done, model = await answered(run, asked(LOOK), "Well...", said({"seen": "here"}))

    assert done.output == {"seen": "here"}
    assert LOOK in model.requests[2].input
    assert "does not satisfy the schema" in str(model.requests[2].input[-1])


async def test_an_agent_with_a_tool_that_no_runner_has_fails_before_it_costs_anything(mongo: Mongo) -> None:
    run = bench(mongo, Looking(), tools=["look", "fly"])
    agent, model = run.agent()

    with pytest.raises(ToolUnknown, match=r"does not have \(fly\); there are look"):
        await agent(run.attempt())

    model.assert_finished()


async def test_tools_of_the_web_need_a_key(mongo: Mongo) -> None:
    agent, model = (run := bench(mongo, Looking(), tools=["look", "web_search"])).agent()

    with pytest.raises(ToolUnavailable, match=r"needs web_search, and this runner has no EXA_API_KEY"):
        await agent(run.attempt())

    model.assert_finished()


async def test_a_tool_that_takes_too_long_ends_the_run(mongo: Mongo) -> None:
    async def endless(_: Mapping[str, Any]) -> Any:
        await asyncio.Event().wait()

    run = bench(mongo, Looking(endless), limits={"tool_call_timeout_seconds": 0.02})
    agent, _ = run.agent(asked(LOOK, text="Let me look."))

    with pytest.raises(ToolCallTimedOut, match=r"'look' did not return within 0.02 s") as raised:
        await agent(run.attempt())

    assert raised.value.partial["text"] == "Let me look."
    (_, step) = await run.recorded()
    assert (step["error"]["code"], step["finished_at"]) == ("tool_call_timed_out", None)


@pytest.mark.parametrize(
    ("limits", "error", "calls", "tools"),
    [
        ({"request_limit": 2}, RequestLimitReached, 2, 2),
        ({"total_tokens_limit": 30}, TokenLimitReached, 2, 1),
        ({"total_tokens_limit": 31}, TokenLimitReached, 3, 2),
        ({"max_rounds": 1}, RoundLimitReached, 2, 1),
    ],
)
async def test_a_run_in_circles_is_ended_by_its_limits_and_keeps_what_it_produced(
    mongo: Mongo, limits: dict[str, int], error: type[LimitReached], calls: int, tools: int
) -> None:
    looking = Looking()
    run = bench(mongo, looking, limits=limits)
    agent, model = run.agent(*[asked(LOOK, text="Once more.")] * calls)
    attempt = run.attempt()

    with pytest.raises(error) as raised:
        await agent(attempt)

    model.assert_finished()
    assert len(looking.calls) == tools
    assert attempt.usage == Usage(10 * calls, 5 * calls, calls)
    partial = raised.value.partial
    assert (partial["text"], len(partial["tool_calls"])) == ("Once more.", tools)
    assert partial["tool_calls"][0]["tool"] == "look"
    assert '{"seen":"here"}' in partial["tool_calls"][0]["told"]


async def test_calls_of_earlier_attempts_count_against_the_limits(mongo: Mongo) -> None:
    run = bench(mongo, Looking(), limits={"request_limit": 2})
    first, _ = run.agent(asked(LOOK), ModelUnavailable("gone"))
    with pytest.raises(ModelUnavailable):
        await first(run.attempt(1))
    second, model = run.agent(asked(LOOK))

    with pytest.raises(RequestLimitReached):
        await second(run.attempt(2))

    model.assert_finished()
