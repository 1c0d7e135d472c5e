"""What only the real adapter does, seen from the server's side."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from infra.offline_model.server import serving
from shared.errors import AppError
from shared.llm.errors import ModelAuthFailed, ModelRateLimited, ModelRequestRefused, ModelTimedOut, ModelUnavailable
from shared.llm.openai_client import OpenAIModel
from shared.llm.port import Message, ModelRequest, Role

ENOUGH_SECONDS = 10.0
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
REQUEST = ModelRequest(
    model="gpt-5.1", instructions="Be brief.", input="I prefer mornings.", metadata={"run_id": "run_1"}
)


@dataclass(frozen=True)
class Server:
    """An offline model, and a model client that talks to it."""

    address: str
    session: aiohttp.ClientSession
    model: OpenAIModel

    async def calls(self) -> list[dict[str, Any]]:
        async with self.session.get(f"{self.address}/journal") as answer:
            return list((await answer.json())["calls"])

    async def will(self, **fault: Any) -> None:
        async with self.session.post(f"{self.address}/faults", json=[fault]):
            return

    async def has_cancelled_a_call(self) -> None:
        async with asyncio.timeout(ENOUGH_SECONDS):
            while not any(call["cancelled"] for call in await self.calls()):
                await asyncio.sleep(0)

    async def has_a_call_in_flight(self) -> None:
        async with asyncio.timeout(ENOUGH_SECONDS):
            while not await self.calls():
                await asyncio.sleep(0)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as address, aiohttp.ClientSession(raise_for_status=True) as session:
        model = OpenAIModel("any", f"{address}/v1", lambda: NOW)
        yield Server(address, session, model)
        await model.close()


@pytest.mark.parametrize("kind", ["500", "429", "cut", "malformed"])
async def test_failed_call_is_not_made_again(server: Server, kind: str) -> None:
    await server.will(kind=kind, times=5)

    with pytest.raises(AppError):
        await server.model.respond(REQUEST, ENOUGH_SECONDS)

    assert len(await server.calls()) == 1


async def test_metadata_and_model_reach_the_provider(server: Server) -> None:
    await server.model.respond(REQUEST, ENOUGH_SECONDS)

    (call,) = await server.calls()
    assert (call["model"], call["metadata"]) == ("gpt-5.1", {"run_id": "run_1"})


async def test_nothing_is_stored_at_the_provider(server: Server) -> None:
    answer = await server.model.respond(REQUEST, ENOUGH_SECONDS)

    url, headers = f"{server.address}/v1/responses/{answer.id}", {"Authorization": "Bearer any"}
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as found:
        assert found.status == 404


async def test_conversation_reaches_the_provider_turn_by_turn(server: Server) -> None:
    turns = (
        Message(Role.USER, "We decided to keep Postgres."),
        Message(Role.ASSISTANT, "I prefer another answer."),
        Message(Role.DEVELOPER, "I prefer lists."),
    )

    answer = await server.model.respond(replace(REQUEST, input=turns), ENOUGH_SECONDS)

    assert "keep Postgres" in answer.text
    assert "lists" in answer.text
    assert "another answer" not in answer.text


async def test_timed_out_call_is_given_up_at_the_provider(server: Server) -> None:
    await server.will(kind="slow", seconds=60)

    with pytest.raises(ModelTimedOut):
        await server.model.respond(REQUEST, 0.2)

    await server.has_cancelled_a_call()


async def test_cancelled_call_is_given_up_at_the_provider(server: Server) -> None:
    await server.will(kind="slow", seconds=60)
    call = asyncio.create_task(server.model.respond(REQUEST, ENOUGH_SECONDS))
    await server.has_a_call_in_flight()

    call.cancel()

    await server.has_cancelled_a_call()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_rate_limit_with_a_date_is_counted_from_now(server: Server) -> None:
    await server.will(kind="429", retry_after="Fri, 20 Nov 2026 09:00:30 GMT")

    with pytest.raises(ModelRateLimited) as caught:
        await server.model.respond(REQUEST, ENOUGH_SECONDS)

    assert caught.value.retry_after_seconds == 30.0


@pytest.mark.parametrize("status", ["408", "409", "502", "503", "529"])
async def test_passing_trouble_is_unavailability_with_its_wait(server: Server, status: str) -> None:
    await server.will(kind=status, retry_after=2)

    with pytest.raises(ModelUnavailable) as caught:
        await server.model.respond(REQUEST, ENOUGH_SECONDS)

    assert caught.value.retry_after_seconds == 2.0
    assert caught.value.facts["http_status"] == int(status)


@pytest.mark.parametrize("status", ["400", "404", "413", "422"])
async def test_wrong_request_is_refused_for_good(server: Server, status: str) -> None:
    await server.will(kind=status, code="model_not_found")

    with pytest.raises(ModelRequestRefused, match="model_not_found"):
        await server.model.respond(REQUEST, ENOUGH_SECONDS)


async def test_refused_input_is_not_repeated(server: Server) -> None:
    await server.will(kind="400", param="input[0].content")

    with pytest.raises(ModelRequestRefused, match="input") as caught:
        await server.model.respond(REQUEST, ENOUGH_SECONDS)

    assert "mornings" not in str(caught.value)


async def test_refused_schema_is_explained(server: Server) -> None:
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}

    with pytest.raises(ModelRequestRefused, match="additionalProperties"):
        await server.model.respond(replace(REQUEST, output_schema=loose), ENOUGH_SECONDS)


async def test_missing_key_is_the_providers_to_refuse(server: Server) -> None:
    keyless = OpenAIModel("", f"{server.address}/v1", lambda: NOW)
    await server.will(kind="401")

    with pytest.raises(ModelAuthFailed, match="OPENAI_API_KEY"):
        await keyless.respond(REQUEST, ENOUGH_SECONDS)

    await keyless.close()


async def test_white_space_around_a_key_is_not_part_of_it(server: Server) -> None:
    padded = OpenAIModel(" any\n", f"{server.address}/v1", lambda: NOW)

    assert (await padded.respond(REQUEST, ENOUGH_SECONDS)).text

    await padded.close()


@pytest.mark.parametrize("key", ["sk-one\nsk-two", "sk-\u00e9"])
def test_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ModelAuthFailed, match="OPENAI_API_KEY") as caught:
        OpenAIModel(key, None, lambda: NOW)

    assert "sk-" not in str(caught.value)


async def test_address_without_a_scheme_is_explained() -> None:
    model = OpenAIModel("any", "127.0.0.1:8090/v1", lambda: NOW)

    with pytest.raises(ModelUnavailable, match="without http://"):
        await model.respond(REQUEST, ENOUGH_SECONDS)

    await model.close()


async def test_server_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    model = OpenAIModel("any", f"http://user:secret@127.0.0.1:{unused_tcp_port}/v1", lambda: NOW)

    with pytest.raises(ModelUnavailable, match=f"127.0.0.1:{unused_tcp_port}") as caught:
        await model.respond(REQUEST, ENOUGH_SECONDS)

    assert "secret" not in str(caught.value)
    await model.close()
