"""What every model client does with responses that the provider keeps."""

import asyncio

import pytest

from shared.errors import StorageUnavailable
from shared.llm import errors
from shared.llm.port import Background
from tests.conformance.providers import FAILURES, KEEPING_CLIENTS, REQUEST, Behaviour, ClientThat, meeting

ENOUGH_SECONDS = 10.0


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


@pytest.mark.parametrize(("client_that", "behaviour"), meeting(FAILURES), indirect=["client_that"])
async def test_failure_in_the_background_has_its_own_class(client_that: ClientThat, behaviour: Behaviour) -> None:
    client = await client_that(behaviour)

    with pytest.raises(FAILURES[behaviour]):
        await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, Started()))


@pytest.mark.parametrize("client_that", KEEPING_CLIENTS, indirect=True)
async def test_response_that_was_started_before_is_found_again(client_that: ClientThat) -> None:
    client, started = await client_that(Behaviour.ANSWERS), Started()
    first = await client.respond(REQUEST, ENOUGH_SECONDS, Background(None, started))

    again = await client.respond(REQUEST, ENOUGH_SECONDS, Background(first.id, started))

    assert again == first
    assert started.ids == [first.id]


async def test_response_that_nobody_knows_is_started_anew(client_that: ClientThat) -> None:
    client, started = await client_that(Behaviour.ANSWERS), Started()

    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background("resp_forgotten", started))

    assert [answer.id] == started.ids


@pytest.mark.parametrize("client_that", KEEPING_CLIENTS, indirect=True)
async def test_cancelled_response_is_started_anew(client_that: ClientThat) -> None:
    client, started = await client_that(Behaviour.IS_SILENT, Behaviour.ANSWERS), Started()
    call = asyncio.create_task(client.respond(REQUEST, ENOUGH_SECONDS, Background(None, started)))
    first = await started.one()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    await client.cancel(first, ENOUGH_SECONDS)
    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background(first, started))

    assert started.ids == [first, answer.id]


@pytest.mark.parametrize("client_that", KEEPING_CLIENTS, indirect=True)
async def test_silence_in_the_background_ends_when_the_time_is_over(client_that: ClientThat) -> None:
    client, started = await client_that(Behaviour.IS_SILENT, Behaviour.ANSWERS), Started()

    async with asyncio.timeout(ENOUGH_SECONDS):
        with pytest.raises(errors.ModelTimedOut):
            await client.respond(REQUEST, 0.5, Background(None, started))

    answer = await client.respond(REQUEST, ENOUGH_SECONDS, Background(await started.one(), started))
    assert answer.id == started.ids[1]


@pytest.mark.parametrize("client_that", KEEPING_CLIENTS, indirect=True)
async def test_cancelling_what_has_ended_says_what_it_cost(client_that: ClientThat) -> None:
    client = await client_that(Behaviour.ANSWERS)
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
