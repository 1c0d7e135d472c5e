"""What the real adapter does with responses that the provider keeps, seen from the server's side."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from infra.offline_model.server import serving
from shared.clock import utc_now
from shared.errors import StorageUnavailable
from shared.llm.errors import ModelAuthFailed, ModelResponseGone, ModelTimedOut, ModelUnavailable
from shared.llm.openai_client import OpenAIModel
from shared.llm.port import Background, ModelRequest, ModelResponse
from tests.support.model import Model
from tests.support.waiting import until_seen

ENOUGH_SECONDS = 10.0
REQUEST = ModelRequest(
    model="gpt-5.1", instructions="Be brief.", input="I prefer mornings.", metadata={"run_id": "run_1"}
)


class Caller:
    """A caller that notes which responses it started."""

    def __init__(self, provider: Model, client: OpenAIModel) -> None:
        self.provider = provider
        self.client = client
        self.started: list[str] = []

    async def ask(self, response_id: str | None = None, timeout_seconds: float = ENOUGH_SECONDS) -> ModelResponse:
        async def note(started: str) -> None:
            self.started.append(started)

        return await self.client.respond(REQUEST, timeout_seconds, Background(response_id, note))

    async def leave_one_running(self) -> str:
        call = asyncio.create_task(self.ask())
        await until_seen(self.calls, lambda calls: any(each["retrievals"] for each in calls))
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        return self.started[-1]

    async def calls(self) -> list[dict[str, Any]]:
        return await self.provider.calls("run_1")

    async def statuses(self) -> list[str]:
        return [each["status"] for each in await self.calls()]


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving() as address, aiohttp.ClientSession() as session:
        client = OpenAIModel("any", f"{address}/v1", utc_now)
        yield Caller(Model(session, address), client)
        await client.close()


async def test_response_is_noted_before_its_answer_is_waited_for(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "stuck"})
    seen: list[str] = []

    async def look(_: str) -> None:
        seen.extend(f"{each['status']}, read {each['retrievals']} times" for each in await caller.calls())
        raise StorageUnavailable("Seen enough.")

    with pytest.raises(StorageUnavailable):
        await caller.client.respond(REQUEST, ENOUGH_SECONDS, Background(None, look))

    assert seen == ["running, read 0 times"]


async def test_response_that_could_not_be_noted_is_ended_at_the_provider(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "stuck"})

    async def refuse(_: str) -> None:
        raise StorageUnavailable("No.")

    with pytest.raises(StorageUnavailable):
        await caller.client.respond(REQUEST, ENOUGH_SECONDS, Background(None, refuse))

    assert await caller.statuses() == ["cancelled"]


async def test_caller_that_goes_away_leaves_the_response_running_and_finds_it_again(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "slow", "seconds": 1})

    running = await caller.leave_one_running()
    left = await caller.statuses()
    answer = await caller.ask(running)

    assert left == ["running"]
    assert answer.id == running
    assert await caller.statuses() == ["completed"]


async def test_response_that_stays_in_progress_is_given_up_when_the_time_is_over(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "stuck"})

    with pytest.raises(ModelTimedOut):
        await caller.ask(timeout_seconds=1.0)

    assert await caller.statuses() == ["cancelled"]


async def test_response_that_cannot_be_given_up_is_timed_out_all_the_same(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "stuck"}, {"kind": "503", "on": "cancel"})

    with pytest.raises(ModelTimedOut):
        await caller.ask(timeout_seconds=1.0)

    assert await caller.statuses() == ["running"]


@pytest.mark.parametrize("kind", ["500", "429", "409", "cut", "malformed"])
async def test_trouble_in_reading_a_response_is_waited_out(caller: Caller, kind: str) -> None:
    await caller.provider.have_faults({"kind": kind, "on": "retrieve", "times": 2})

    answer = await caller.ask()

    assert [answer.id] == caller.started
    assert await caller.statuses() == ["completed"]


async def test_provider_that_wants_to_be_left_alone_is_asked_later(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "429", "on": "retrieve", "retry_after": 0.6})
    began = asyncio.get_running_loop().time()

    await caller.ask()

    assert asyncio.get_running_loop().time() - began >= 0.6


async def test_trouble_in_reading_that_does_not_pass_ends_the_call(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "401", "on": "retrieve"})

    with pytest.raises(ModelAuthFailed):
        await caller.ask()


async def test_response_that_is_gone_right_after_its_start_is_told_as_such(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "404", "on": "retrieve"})

    with pytest.raises(ModelResponseGone):
        await caller.ask()


async def test_response_that_had_failed_is_started_anew(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "failed"})
    with pytest.raises(ModelUnavailable):
        await caller.ask()

    answer = await caller.ask(caller.started[0])

    assert answer.id == caller.started[1]
    assert await caller.statuses() == ["failed", "completed"]


async def test_cancelled_response_is_ended_at_the_provider(caller: Caller) -> None:
    await caller.provider.have_faults({"kind": "stuck"})
    running = await caller.leave_one_running()

    assert await caller.client.cancel(running, ENOUGH_SECONDS) is None

    assert await caller.statuses() == ["cancelled"]


async def test_conflict_in_cancelling_a_response_that_has_ended_says_what_it_cost(caller: Caller) -> None:
    answer = await caller.ask()
    await caller.provider.have_faults({"kind": "409", "on": "cancel"})

    assert await caller.client.cancel(answer.id, ENOUGH_SECONDS) == answer.usage


async def test_cancelling_that_takes_too_long_is_told_as_such(caller: Caller) -> None:
    answer = await caller.ask()
    await caller.provider.have_faults({"kind": "slow", "seconds": 60, "on": "cancel"})

    with pytest.raises(ModelTimedOut, match=answer.id):
        await caller.client.cancel(answer.id, 0.1)
