"""What every model client does: the scripted one of the tests, and the real adapter over HTTP.

The adapter talks to two servers: our own offline model, and one that others wrote, as far as that one can do things.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from traceback import format_exception

import aiohttp
import orjson
import pytest
from jsonschema import Draft202012Validator

from infra.offline_model.server import serving
from shared.clock import utc_now
from shared.errors import AppError, Permanent, Retryable, StorageUnavailable
from shared.llm import errors
from shared.llm.openai_client import OpenAIModel
from shared.llm.port import (
    Background,
    Finish,
    Message,
    ModelClient,
    ModelRequest,
    ModelResponse,
    Role,
    ToolCall,
    ToolResult,
    ToolSpec,
    Usage,
)
from shared.testing.model import ScriptedModel, Silence, Step
from tests.support.aimock import fresh_aimock
from tests.support.model import Model

ENOUGH_SECONDS = 10.0
SECRET = "sk-very-secret-key"
SCHEMA = {
    "type": "object",
    "properties": {"summary": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["summary", "count"],
    "additionalProperties": False,
}
REQUEST = ModelRequest(
    model="gpt-5.1",
    instructions="Sum up what you are given.",
    input="Nora prefers mornings for reviews.",
    output_schema=SCHEMA,
    schema_name="note",
    max_output_tokens=500,
    metadata={"run_id": "run_1"},
)
TOOL = ToolSpec(
    name="look_up",
    description="Says what is known about a topic.",
    parameters={
        "type": "object",
        "properties": {"topic": {"type": "string"}},
        "required": ["topic"],
        "additionalProperties": False,
    },
)


class Behaviour(StrEnum):
    """What the other side does with a call."""

    ANSWERS = "answers"
    IS_SILENT = "is silent"
    LIMITS_THE_RATE = "limits the rate"
    HAS_NO_CREDIT_LEFT = "has no credit left"
    FAILS = "fails"
    FAILS_LATE = "fails late"
    TALKS_NONSENSE = "talks nonsense"
    HANGS_UP = "hangs up"
    REFUSES_THE_REQUEST = "refuses the request"
    REFUSES_THE_KEY = "refuses the key"
    DECLINES = "declines"
    STOPS_AT_THE_LIMIT = "stops at the limit"
    WANTS_A_TOOL = "wants a tool"
    FILTERS = "filters"


USAGE = Usage(input_tokens=12, output_tokens=7, cached_tokens=0, reasoning_tokens=0)
WANTED = '{"topic": "reviews"}'
ANSWER = '{"summary": "Nora prefers mornings.", "count": 1}'
STEPS: dict[Behaviour, Step] = {
    Behaviour.ANSWERS: ANSWER,
    Behaviour.IS_SILENT: Silence(),
    Behaviour.LIMITS_THE_RATE: errors.ModelRateLimited("Too many calls.", retry_after_seconds=3.0),
    Behaviour.HAS_NO_CREDIT_LEFT: errors.ModelQuotaSpent("No credit."),
    Behaviour.FAILS: errors.ModelUnavailable("Failed."),
    Behaviour.FAILS_LATE: errors.ModelUnavailable("Failed."),
    Behaviour.TALKS_NONSENSE: errors.ModelAnswerMalformed("Nonsense."),
    Behaviour.HANGS_UP: errors.ModelUnavailable("Gone."),
    Behaviour.REFUSES_THE_REQUEST: errors.ModelRequestRefused("Wrong."),
    Behaviour.REFUSES_THE_KEY: errors.ModelAuthFailed("Who?"),
    Behaviour.DECLINES: errors.ModelRefused("No.", USAGE),
    Behaviour.STOPS_AT_THE_LIMIT: errors.ModelAnswerCut("Too long.", USAGE),
    Behaviour.WANTS_A_TOOL: ToolCall("call_1", "look_up", WANTED),
    Behaviour.FILTERS: ModelResponse("resp_1", "gpt-5.1", ANSWER[:9], USAGE, Finish.INCOMPLETE, "content_filter"),
}
FAULTS: dict[Behaviour, dict[str, object]] = {
    Behaviour.ANSWERS: {"kind": "slow", "seconds": 0},
    Behaviour.IS_SILENT: {"kind": "slow", "seconds": 60},
    Behaviour.LIMITS_THE_RATE: {"kind": "429", "retry_after": 3},
    Behaviour.HAS_NO_CREDIT_LEFT: {"kind": "429", "code": "insufficient_quota"},
    Behaviour.FAILS: {"kind": "500"},
    Behaviour.FAILS_LATE: {"kind": "failed"},
    Behaviour.TALKS_NONSENSE: {"kind": "malformed"},
    Behaviour.HANGS_UP: {"kind": "cut"},
    Behaviour.REFUSES_THE_REQUEST: {"kind": "400"},
    Behaviour.REFUSES_THE_KEY: {"kind": "401"},
    Behaviour.DECLINES: {"kind": "refusal"},
    Behaviour.STOPS_AT_THE_LIMIT: {"kind": "incomplete"},
    Behaviour.WANTS_A_TOOL: {"kind": "tool_call", "code": "look_up", "arguments": WANTED},
    Behaviour.FILTERS: {"kind": "incomplete", "reason": "content_filter"},
}
ONE_ANSWER = {"content": ANSWER, "usage": {"input_tokens": 12, "output_tokens": 7}}
FIXTURES: dict[Behaviour, dict[str, object]] = {
    Behaviour.ANSWERS: {"response": ONE_ANSWER},
    Behaviour.IS_SILENT: {"response": ONE_ANSWER, "chaos": {"latencyMs": 30_000}},
    Behaviour.LIMITS_THE_RATE: {"response": {"error": {"message": "Slow down."}, "status": 429, "retryAfter": 3}},
    Behaviour.HAS_NO_CREDIT_LEFT: {
        "response": {"error": {"message": "Pay first.", "code": "insufficient_quota"}, "status": 429}
    },
    Behaviour.FAILS: {"response": {"error": {"message": "Oh."}, "status": 500}},
    Behaviour.FAILS_LATE: {"response": {**ONE_ANSWER, "finishReason": "failed"}},
    Behaviour.TALKS_NONSENSE: {"response": ONE_ANSWER, "chaos": {"malformedRate": 1}},
    Behaviour.HANGS_UP: {"response": ONE_ANSWER, "chaos": {"disconnectRate": 1}},
    Behaviour.REFUSES_THE_REQUEST: {"response": {"error": {"message": "Wrong."}, "status": 400}},
    Behaviour.REFUSES_THE_KEY: {"response": {"error": {"message": "Who?"}, "status": 401}},
    Behaviour.WANTS_A_TOOL: {
        "response": {
            "toolCalls": [{"id": "call_1", "name": "look_up", "arguments": WANTED}],
            "usage": {"input_tokens": 12, "output_tokens": 7},
        }
    },
}
FAILURES: dict[Behaviour, type[AppError]] = {
    Behaviour.LIMITS_THE_RATE: errors.ModelRateLimited,
    Behaviour.HAS_NO_CREDIT_LEFT: errors.ModelQuotaSpent,
    Behaviour.FAILS: errors.ModelUnavailable,
    Behaviour.FAILS_LATE: errors.ModelUnavailable,
    Behaviour.TALKS_NONSENSE: errors.ModelAnswerMalformed,
    Behaviour.HANGS_UP: errors.ModelUnavailable,
    Behaviour.REFUSES_THE_REQUEST: errors.ModelRequestRefused,
    Behaviour.REFUSES_THE_KEY: errors.ModelAuthFailed,
    Behaviour.DECLINES: errors.ModelRefused,
    Behaviour.STOPS_AT_THE_LIMIT: errors.ModelAnswerCut,
}
ClientThat = Callable[..., Awaitable[ModelClient]]


async def scripted(*behaviours: Behaviour) -> ModelClient:
    return ScriptedModel(*(STEPS[each] for each in behaviours))


@asynccontextmanager
async def on_the_offline_model() -> AsyncIterator[ClientThat]:
    async with serving() as address, aiohttp.ClientSession() as session:
        model = OpenAIModel(SECRET, f"{address}/v1", utc_now)

        async def real(*behaviours: Behaviour) -> ModelClient:
            await Model(session, address).have_faults(*(FAULTS[each] for each in behaviours))
            return model

        yield real
        await model.close()


@asynccontextmanager
async def on_aimock(url: str) -> AsyncIterator[ClientThat]:
    async with fresh_aimock(url) as aimock:
        model = OpenAIModel(SECRET, aimock.base_url, utc_now)

        async def real(*behaviours: Behaviour) -> ModelClient:
            for number, each in enumerate(behaviours):
                if each not in FIXTURES:
                    pytest.skip(f"aimock has no fixture for a provider that {each}")
                await aimock.will({"match": {"userMessage": "mornings", "sequenceIndex": number}, **FIXTURES[each]})
            return model

        yield real
        await model.close()


@pytest.fixture(params=["scripted", "offline model"])
async def keeping_client_that(request: pytest.FixtureRequest) -> AsyncIterator[ClientThat]:
    """Give a client whose provider keeps responses, and whose calls meet the behaviours one after the other."""
    if request.param == "scripted":
        yield scripted
        return
    async with on_the_offline_model() as client_that:
        yield client_that


@pytest.fixture(params=["scripted", "offline model", "aimock"])
async def client_that(request: pytest.FixtureRequest) -> AsyncIterator[ClientThat]:
    """Give a client whose calls meet the behaviours one after the other."""
    match request.param:
        case "scripted":
            yield scripted
        case "offline model":
            async with on_the_offline_model() as on_ours:
                yield on_ours
        case _:
            async with on_aimock(request.getfixturevalue("aimock_url")) as on_theirs:
                yield on_theirs


async def test_answer_says_who_gave_it_and_what_it_cost(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.ANSWERS)

    answer = await client.respond(REQUEST, ENOUGH_SECONDS)

    assert answer.id
    assert answer.model == REQUEST.model
    assert (answer.finish, answer.finish_reason) == (Finish.COMPLETED, None)
    assert answer.usage.input_tokens > 0
    assert answer.usage.output_tokens > 0


async def test_answer_to_a_schema_is_json_that_satisfies_it(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.ANSWERS)

    answer = await client.respond(REQUEST, ENOUGH_SECONDS)

    Draft202012Validator(SCHEMA).validate(orjson.loads(answer.text))


async def test_answer_without_a_schema_is_text(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.ANSWERS)

    answer = await client.respond(replace(REQUEST, output_schema=None), ENOUGH_SECONDS)

    assert "mornings" in answer.text


@pytest.mark.parametrize("behaviour", FAILURES)
async def test_failure_has_its_own_class(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises(FAILURES[behaviour]) as caught:
        await client.respond(REQUEST, ENOUGH_SECONDS)

    assert isinstance(caught.value, Retryable | Permanent)


@pytest.mark.parametrize("behaviour", FAILURES)
async def test_failure_tells_neither_the_prompt_nor_the_key(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises(AppError) as caught:
        await client.respond(REQUEST, ENOUGH_SECONDS)

    told = f"{''.join(format_exception(caught.value))} {caught.value.facts}"
    assert not any(secret in told for secret in (SECRET, "mornings", REQUEST.instructions))


async def test_rate_limit_says_how_long_to_wait(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.LIMITS_THE_RATE)

    with pytest.raises(errors.ModelRateLimited) as caught:
        await client.respond(REQUEST, ENOUGH_SECONDS)

    assert caught.value.retry_after_seconds == 3.0


@pytest.mark.parametrize("behaviour", [Behaviour.DECLINES, Behaviour.STOPS_AT_THE_LIMIT])
async def test_useless_answer_that_was_paid_says_what_it_cost(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises((errors.ModelRefused, errors.ModelAnswerCut)) as caught:
        await client.respond(REQUEST, ENOUGH_SECONDS)

    usage = getattr(caught.value, "usage", None)
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


async def test_answer_that_is_incomplete_for_another_reason_is_returned(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.FILTERS)

    answer = await client.respond(REQUEST, ENOUGH_SECONDS)

    assert (answer.finish, answer.finish_reason) == (Finish.INCOMPLETE, "content_filter")


async def test_silence_ends_when_the_time_is_over(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.IS_SILENT)

    async with asyncio.timeout(ENOUGH_SECONDS):
        with pytest.raises(errors.ModelTimedOut):
            await client.respond(REQUEST, 0.05)


async def test_cancelled_call_ends_as_cancelled(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.IS_SILENT)

    call = asyncio.create_task(client.respond(REQUEST, ENOUGH_SECONDS))
    await asyncio.sleep(0)
    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize("behaviour", [Behaviour.HANGS_UP, Behaviour.TALKS_NONSENSE, Behaviour.FAILS])
async def test_failure_does_not_spoil_the_next_call(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour, Behaviour.ANSWERS)

    with pytest.raises(AppError):
        await client.respond(REQUEST, ENOUGH_SECONDS)
    answer = await client.respond(REQUEST, ENOUGH_SECONDS)

    assert answer.finish is Finish.COMPLETED


async def test_calls_at_once_are_separate(client_that: ClientThat) -> None:
    client = await client_that(*[Behaviour.ANSWERS] * 8)

    answers = await asyncio.gather(*(client.respond(REQUEST, ENOUGH_SECONDS) for _ in range(8)))

    assert len({answer.id for answer in answers}) == 8


async def test_wanted_tool_is_named_with_its_arguments(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.WANTS_A_TOOL)

    answer = await client.respond(replace(REQUEST, tools=(TOOL,)), ENOUGH_SECONDS)

    (call,) = answer.tool_calls
    assert call.id
    assert (call.name, call.arguments) == ("look_up", WANTED)
    assert answer.finish is Finish.COMPLETED


async def test_answer_follows_the_result_of_a_tool(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.ANSWERS)
    turns = (Message(Role.USER, str(REQUEST.input)), ToolCall("call_1", "look_up", WANTED), ToolResult("call_1", "No."))

    answer = await client.respond(replace(REQUEST, input=turns, tools=(TOOL,)), ENOUGH_SECONDS)

    assert answer.tool_calls == ()
    assert answer.text


class Started:
    """The ids of the responses that were started."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    async def __call__(self, response_id: str) -> None:
        self.ids.append(response_id)

    async def one(self) -> str:
        async with asyncio.timeout(ENOUGH_SECONDS):
            while not self.ids:
                await asyncio.sleep(0)
        return self.ids[0]


@pytest.mark.parametrize("behaviour", [Behaviour.ANSWERS, Behaviour.WANTS_A_TOOL])
async def test_background_answer_is_that_of_the_started_response(client_that: ClientThat, behaviour: Behaviour) -> None:
    client, started = await client_that(behaviour), Started()

    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, started))

    assert [answer.id] == started.ids
    assert bool(answer.text) is (behaviour is Behaviour.ANSWERS)
    assert len(answer.tool_calls) == (behaviour is Behaviour.WANTS_A_TOOL)
    assert answer.usage.output_tokens > 0


@pytest.mark.parametrize("behaviour", FAILURES)
async def test_failure_in_the_background_has_its_own_class(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises(FAILURES[behaviour]):
        await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, Started()))


async def test_response_that_was_started_before_is_found_again(keeping_client_that: ClientThat) -> None:
    client, started = await keeping_client_that(Behaviour.ANSWERS), Started()
    first = await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, started))

    again = await client.respond(REQUEST, ENOUGH_SECONDS, Background(first.id, started))

    assert again == first
    assert started.ids == [first.id]


async def test_response_that_nobody_knows_is_started_anew(client_that: ClientThat) -> None:
    client, started = await client_that(Behaviour.ANSWERS), Started()

    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background("resp_forgotten", started))

    assert [answer.id] == started.ids


async def test_cancelled_response_is_started_anew(keeping_client_that: ClientThat) -> None:
    client, started = await keeping_client_that(Behaviour.IS_SILENT, Behaviour.ANSWERS), Started()
    call = asyncio.create_task(client.respond(REQUEST, ENOUGH_SECONDS, Background(None, started)))
    first = await started.one()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await client.cancel(first, ENOUGH_SECONDS)
    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background(first, started))

    assert started.ids == [first, answer.id]


async def test_silence_in_the_background_ends_when_the_time_is_over(keeping_client_that: ClientThat) -> None:
    client, started = await keeping_client_that(Behaviour.IS_SILENT, Behaviour.ANSWERS), Started()

    async with asyncio.timeout(ENOUGH_SECONDS):
        with pytest.raises(errors.ModelTimedOut):
            await client.respond(REQUEST, 0.5, Background(None, started))

    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background(await started.one(), started))
    assert answer.id == started.ids[1]


async def test_cancelling_what_has_ended_says_what_it_cost(keeping_client_that: ClientThat) -> None:
    client = await keeping_client_that(Behaviour.ANSWERS)
    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, Started()))

    used = await client.cancel(answer.id, ENOUGH_SECONDS)

    assert used is not None
    assert used.output_tokens == answer.usage.output_tokens


async def test_cancelling_what_nobody_knows_changes_nothing(client_that: ClientThat) -> None:
    client = await client_that()

    assert await client.cancel("resp_forgotten", ENOUGH_SECONDS) is None


async def test_error_in_noting_the_response_ends_the_call(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.ANSWERS)

    async def refuse(_: str) -> None:
        raise StorageUnavailable("No.")

    with pytest.raises(StorageUnavailable):
        await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, refuse))


async def test_closing_twice_changes_nothing(client_that: ClientThat) -> None:
    client = await client_that()

    await client.close()
    await client.close()
