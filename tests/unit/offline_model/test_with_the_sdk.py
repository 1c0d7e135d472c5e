"""OpenAI's own library as the judge of what the offline model says."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from openai import APIConnectionError, AsyncOpenAI
from openai.types.responses import FunctionToolParam, Response, ResponseFunctionToolCall

from infra.offline_model.server import serving

TOOL: FunctionToolParam = {
    "type": "function",
    "name": "look_up_weather",
    "description": "Tells the weather of a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with serving() as address:
        yield address


@pytest.fixture
async def client(address: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="any", base_url=f"{address}/v1", max_retries=0) as client:
        yield client


async def queue(address: str, **fault: Any) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{address}/faults", json=[fault]) as answer:
        assert answer.status == 200


def checked(response: Response) -> Response:
    """Return the response after validating it, which the library does not do by itself."""
    return Response.model_validate(response.model_dump())


async def test_response_is_one_that_the_library_defines(client: AsyncOpenAI) -> None:
    response = checked(await client.responses.create(model="gpt-5.1", input="I prefer tea."))

    assert (response.model, response.status) == ("gpt-5.1", "completed")
    assert "I prefer tea." in response.output_text
    assert response.usage is not None
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


async def test_stream_tells_the_whole_story_in_order(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(model="gpt-5.1", input="I prefer tea with a lot of milk.", stream=True)
    events = [event async for event in stream]

    names = list(dict.fromkeys(event.type for event in events))
    assert names == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    for event in events:
        type(event).model_validate(event.model_dump())


async def test_streamed_pieces_make_up_the_answer(client: AsyncOpenAI) -> None:
    async with client.responses.stream(model="gpt-5.1", input="I prefer tea with a lot of milk.") as stream:
        pieces = [event.delta async for event in stream if event.type == "response.output_text.delta"]
        final = await stream.get_final_response()

    assert len(pieces) > 1
    assert "".join(pieces) == final.output_text


@pytest.mark.parametrize(
    ("fault", "last"),
    [({"kind": "refusal"}, "completed"), ({"kind": "incomplete"}, "incomplete"), ({"kind": "failed"}, "failed")],
)
async def test_stream_ends_as_the_response_did(
    client: AsyncOpenAI, address: str, fault: dict[str, Any], last: str
) -> None:
    await queue(address, **fault)

    stream = await client.responses.create(model="gpt-5.1", input="I prefer tea.", stream=True)
    events = [event.type async for event in stream]

    assert events[-1] == f"response.{last}"
    assert ("response.refusal.done" in events) is (fault["kind"] == "refusal")


async def test_cut_stream_is_a_connection_error(client: AsyncOpenAI, address: str) -> None:
    await queue(address, kind="cut")

    stream = await client.responses.create(model="gpt-5.1", input="I prefer tea.", stream=True)

    with pytest.raises(APIConnectionError):
        async for _ in stream:
            pass


async def test_function_is_called_and_its_output_continues_the_answer(client: AsyncOpenAI) -> None:
    question = "How is the weather in Porto today?"
    first = checked(await client.responses.create(model="gpt-5.1", input=question, tools=[TOOL]))
    (call,) = first.output
    assert isinstance(call, ResponseFunctionToolCall)

    second = await client.responses.create(
        model="gpt-5.1",
        tools=[TOOL],
        input=[
            {"role": "user", "content": question},
            {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
            {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny, 24 degrees."},
        ],
    )

    assert call.name == "look_up_weather"
    assert '"days":1' in call.arguments
    assert "look_up_weather returned: Sunny, 24 degrees." in second.output_text


async def test_conversation_continues_by_the_id_of_the_response_before(client: AsyncOpenAI) -> None:
    first = await client.responses.create(model="gpt-5.1", input="How is the weather in Porto?", tools=[TOOL])
    (call,) = first.output
    assert isinstance(call, ResponseFunctionToolCall)

    second = await client.responses.create(
        model="gpt-5.1",
        tools=[TOOL],
        previous_response_id=first.id,
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}],
    )

    assert "Rain." in second.output_text


async def test_function_call_is_streamed(client: AsyncOpenAI) -> None:
    stream = await client.responses.create(model="m", input="The weather, please.", tools=[TOOL], stream=True)
    events = [event async for event in stream]

    deltas = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    done = [event.arguments for event in events if event.type == "response.function_call_arguments.done"]
    assert [deltas] == done


@pytest.mark.parametrize(
    ("question", "choice", "called"),
    [
        ("How is the weather?", "auto", True),
        ("I prefer tea.", "auto", False),
        ("How is the weather?", "none", False),
        ("I prefer tea.", "required", True),
        ("I prefer tea.", {"type": "function", "name": "look_up_weather"}, True),
    ],
)
async def test_choice_of_tools_is_obeyed(client: AsyncOpenAI, question: str, choice: Any, called: bool) -> None:
    response = await client.responses.create(model="m", input=question, tools=[TOOL], tool_choice=choice)

    assert [item.type == "function_call" for item in response.output] == [called]


async def test_background_response_is_polled(client: AsyncOpenAI) -> None:
    created = await client.responses.create(model="m", input="I prefer tea.", background=True)

    done = checked(await client.responses.retrieve(created.id))

    assert (created.status, done.status) == ("queued", "completed")


@pytest.mark.parametrize("options", [{}, {"dimensions": 16}, {"encoding_format": "float", "dimensions": 16}])
async def test_embeddings_are_decoded_by_the_library(client: AsyncOpenAI, options: dict[str, Any]) -> None:
    answer = await client.embeddings.create(model="text-embedding-3-small", input=["a tea", "b"], **options)

    assert [len(each.embedding) for each in answer.data] == [options.get("dimensions", 1_536)] * 2
    assert sum(number * number for number in answer.data[0].embedding) == pytest.approx(1.0, abs=1e-5)


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    assert "offline-reasoning" in [model.id async for model in client.models.list()]
