"""What every model client does: the scripted one of the tests, and the real adapter over HTTP."""

import asyncio
from dataclasses import replace
from traceback import format_exception

import orjson
import pytest
from jsonschema import Draft202012Validator

from shared.errors import AppError, Permanent, Retryable
from shared.llm import errors
from shared.llm.port import Finish, Message, ModelClient, Role, ToolCall, ToolResult, Usage
from tests.conformance.providers import (
    FAILURES,
    KEEPING_CLIENTS,
    REQUEST,
    SCHEMA,
    SECRET,
    TOOL,
    WANTED,
    Behaviour,
    ClientThat,
    meeting,
)

ENOUGH_SECONDS = 10.0


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


@pytest.mark.parametrize(("client_that", "behaviour"), meeting(FAILURES), indirect=["client_that"])
async def test_failure_has_its_own_class(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises(FAILURES[behaviour]) as caught:
        await client.respond(REQUEST, ENOUGH_SECONDS)

    assert isinstance(caught.value, Retryable | Permanent)


@pytest.mark.parametrize(("client_that", "behaviour"), meeting(FAILURES), indirect=["client_that"])
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


@pytest.mark.parametrize(
    ("client_that", "behaviour"), meeting([Behaviour.DECLINES, Behaviour.STOPS_AT_THE_LIMIT]), indirect=["client_that"]
)
async def test_useless_answer_that_was_paid_says_what_it_cost(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises((errors.ModelRefused, errors.ModelAnswerCut)) as caught:
        await client.respond(REQUEST, ENOUGH_SECONDS)

    usage = getattr(caught.value, "usage", None)
    assert isinstance(usage, Usage)
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


@pytest.mark.parametrize("client_that", KEEPING_CLIENTS, indirect=True)
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


async def test_closing_twice_changes_nothing(client_that: ClientThat) -> None:
    client: ModelClient = await client_that()

    await client.close()
    await client.close()
