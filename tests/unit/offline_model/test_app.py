"""The server over HTTP: what a caller and a test see."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from infra.offline_model.exchange import Options
from infra.offline_model.server import serving
from tests.unit.offline_model.inputs import CHECKIN, rendered

ENOUGH_SECONDS = 10.0
KEY = {"Authorization": "Bearer any"}


class Http:
    """A client of one offline model that returns the status, the headers and the body."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address = address
        self.session = session

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        async with self.session.request(
            method, f"{self.address}{path}", json=body, headers={**KEY, **headers}
        ) as answer:
            return answer.status, await answer.json() if answer.status != 204 else None

    async def create(self, **body: Any) -> tuple[int, Any]:
        return await self.call("POST", "/v1/responses", {"model": "gpt-5.1", "input": "I prefer tea.", **body})

    async def journal(self) -> list[dict[str, Any]]:
        return list((await self.call("GET", "/journal"))[1]["calls"])


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with serving() as address, aiohttp.ClientSession() as session:
        yield Http(address, session)


async def test_every_answer_says_that_it_is_no_ai(http: Http) -> None:
    for path in ("/health", "/v1/models", "/v1/nowhere"):
        async with http.session.get(f"{http.address}{path}", headers=KEY) as answer:
            assert answer.headers["x-offline-model"] == "rule-based, no AI"


async def test_models_are_named_offline(http: Http) -> None:
    _, body = await http.call("GET", "/v1/models")

    assert all(model["id"].startswith("offline-") for model in body["data"])


async def test_any_key_will_do_but_one_is_needed(http: Http) -> None:
    assert (await http.create())[0] == 200

    async with http.session.post(f"{http.address}/v1/responses", json={"model": "m"}) as answer:
        assert answer.status == 401
        assert (await answer.json())["error"]["code"] == "invalid_api_key"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": None}, "model"),
        ({"input": 7}, "input.str"),
        ({"max_output_tokens": 3}, "max_output_tokens"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema"),
        ({"text": {"format": {"type": "json_schema", "name": "a b", "schema": {}}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_schema", "schema": {}, "strict": True}}}, "text.format.schema"),
        ({"stream": True, "background": True}, "stream"),
        ({"store": False, "background": True}, "store"),
        ({"previous_response_id": "resp_unknown"}, "response_id"),
    ],
)
async def test_wrong_request_is_refused_with_the_parameter(http: Http, body: dict[str, Any], param: str) -> None:
    status, answer = await http.create(**body)

    assert status in (400, 404)
    assert answer["error"]["param"] == param
    assert answer["error"]["type"] == "invalid_request_error"


async def test_body_that_is_no_json_is_refused(http: Http) -> None:
    async with http.session.post(f"{http.address}/v1/responses", data=b"{", headers=KEY) as answer:
        assert answer.status == 400


async def test_answer_that_is_too_long_is_cut_at_the_limit(http: Http) -> None:
    _, body = await http.create(input="I prefer tea. " * 3 + "We decided " + "so " * 90 + "A.", max_output_tokens=16)

    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert body["usage"]["output_tokens"] <= 16


async def test_correction_of_an_answer_is_made_from_the_first_input(http: Http) -> None:
    shape = {
        "type": "json_schema",
        "name": "answer",
        "schema": {"type": "object", "properties": {"coaching": {"type": "string"}}},
    }
    asked = {"role": "user", "content": rendered(CHECKIN)}
    rest = [{"role": "assistant", "content": "I prefer this."}, {"role": "user", "content": "# Your answer\nis wrong"}]

    _, first = await http.create(input=[asked], text={"format": shape})
    _, second = await http.create(input=[asked, *rest], text={"format": shape})

    assert second["output"][0]["content"] == first["output"][0]["content"]


async def test_stored_response_can_be_read_again(http: Http) -> None:
    _, created = await http.create()

    assert (await http.call("GET", f"/v1/responses/{created['id']}"))[1] == created


async def test_response_that_is_not_stored_is_not_found(http: Http) -> None:
    _, created = await http.create(store=False)

    assert (await http.call("GET", f"/v1/responses/{created['id']}"))[0] == 404


async def test_background_response_can_be_cancelled(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "slow", "seconds": 60}])

    _, created = await http.create(background=True)
    _, running = await http.call("GET", f"/v1/responses/{created['id']}")
    _, cancelled = await http.call("POST", f"/v1/responses/{created['id']}/cancel")

    assert [each["status"] for each in (created, running, cancelled)] == ["queued", "in_progress", "cancelled"]
    assert [call["cancelled"] for call in await http.journal()] == [True]


async def test_background_response_is_completed_after_its_time(http: Http) -> None:
    _, created = await http.create(background=True)

    _, done = await http.call("GET", f"/v1/responses/{created['id']}")

    assert (done["status"], bool(done["output"])) == ("completed", True)


async def test_background_call_is_journalled_once_with_its_retrievals_and_its_end(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "slow", "seconds": 0.2}])

    _, created = await http.create(background=True)
    (started,) = await http.journal()
    async with asyncio.timeout(ENOUGH_SECONDS):
        while (await http.call("GET", f"/v1/responses/{created['id']}"))[1]["status"] != "completed":
            await asyncio.sleep(0.01)

    (ended,) = await http.journal()
    assert (started["status"], started["background"], started["retrievals"]) == ("running", True, 0)
    assert (ended["status"], ended["output_tokens"] > 0, ended["retrievals"] > 1) == ("completed", True, True)


async def test_stuck_response_stays_in_progress_until_it_is_cancelled(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "stuck"}])

    _, created = await http.create(background=True)
    _, running = await http.call("GET", f"/v1/responses/{created['id']}")
    _, cancelled = await http.call("POST", f"/v1/responses/{created['id']}/cancel")

    assert [running["status"], cancelled["status"]] == ["in_progress", "cancelled"]


async def test_reading_and_cancelling_can_fail_on_demand(http: Http) -> None:
    _, created = await http.create(background=True, metadata={"run_id": "run_1"})
    faults = [{"kind": "503", "on": "retrieve", "match": "run_1"}, {"kind": "409", "on": "cancel"}]
    await http.call("POST", "/faults", faults)

    read = [(await http.call("GET", f"/v1/responses/{created['id']}"))[0] for _ in range(2)]
    cancelled = [(await http.call("POST", f"/v1/responses/{created['id']}/cancel"))[0] for _ in range(2)]

    assert (read, cancelled) == ([503, 200], [409, 200])


async def test_failure_in_the_background_shows_at_its_end(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "failed"}])

    _, created = await http.create(background=True)
    _, failed = await http.call("GET", f"/v1/responses/{created['id']}")

    assert (created["status"], created["error"]) == ("queued", None)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "server_error")


async def test_refused_background_call_starts_nothing(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "500"}])

    status, _ = await http.create(background=True)

    assert (status, [call["status"] for call in await http.journal()]) == (500, ["failed"])


@pytest.mark.parametrize("background", [False, True])
async def test_function_is_called_on_demand(http: Http, background: bool) -> None:
    fault = {"kind": "tool_call", "code": "look_up", "arguments": {"topic": "tea"}, "match": "run_1"}
    await http.call("POST", "/faults", [fault])

    _, created = await http.create(background=background, metadata={"run_id": "run_1"})
    _, done = await http.call("GET", f"/v1/responses/{created['id']}")

    (item,) = done["output"]
    assert (item["type"], item["name"], item["arguments"]) == ("function_call", "look_up", '{"topic":"tea"}')


async def test_waited_for_response_cannot_be_cancelled(http: Http) -> None:
    _, created = await http.create()

    assert (await http.call("POST", f"/v1/responses/{created['id']}/cancel"))[0] == 400


async def test_journal_tells_what_was_called_and_never_what_was_said(http: Http) -> None:
    await http.create(metadata={"run_id": "run_1"})
    await http.call("POST", "/v1/embeddings", {"model": "text-embedding-3-small", "input": "secret words"})

    first, second = await http.journal()

    assert (first["kind"], first["model"], first["metadata"]) == ("resp", "gpt-5.1", {"run_id": "run_1"})
    assert (first["status"], first["cancelled"], first["fault"]) == ("completed", False, None)
    assert (second["kind"], second["model"]) == ("emb", "text-embedding-3-small")
    assert not any(word in f"{first}{second}" for word in ("tea", "secret"))


async def test_journal_can_be_cleared(http: Http) -> None:
    await http.create()

    assert (await http.call("DELETE", "/journal"))[0] == 204
    assert await http.journal() == []


async def test_caller_that_hangs_up_is_journalled_as_cancelled(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "slow", "seconds": 60}])
    call = asyncio.create_task(http.create())

    async with asyncio.timeout(ENOUGH_SECONDS):
        while not await http.journal():
            await asyncio.sleep(0)
        call.cancel()
        while not (await http.journal())[0]["cancelled"]:
            await asyncio.sleep(0)

    assert (await http.journal())[0]["status"] == "cancelled"


async def test_faults_can_be_seen_and_forgotten(http: Http) -> None:
    _, queued = await http.call("POST", "/faults", [{"kind": "500", "times": 2, "match": "tea"}])

    await http.call("DELETE", "/faults")

    assert [(each["kind"], each["times"], each["match"]) for each in queued["faults"]] == [("500", 2, "tea")]
    assert (await http.call("GET", "/faults"))[1] == {"faults": []}
    assert (await http.create())[0] == 200


async def test_fault_hits_only_what_it_matches(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "503", "match": "run_2"}])

    statuses = [(await http.create(metadata={"run_id": run}))[0] for run in ("run_1", "run_2", "run_2")]

    assert statuses == [200, 503, 200]


async def test_unknown_fault_is_refused(http: Http) -> None:
    assert (await http.call("POST", "/faults", [{"kind": "boom"}]))[0] == 400


async def test_embeddings_have_faults_too(http: Http) -> None:
    await http.call("POST", "/faults", [{"kind": "429", "retry_after": 7}])

    async with http.session.post(
        f"{http.address}/v1/embeddings", json={"model": "m", "input": "a"}, headers=KEY
    ) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7.0")


async def test_latency_is_added_to_every_answer() -> None:
    loop = asyncio.get_running_loop()
    async with serving(options=Options(latency_seconds=0.05)) as address, aiohttp.ClientSession() as session:
        before = loop.time()
        await Http(address, session).create()

    assert loop.time() - before >= 0.05


async def test_two_servers_share_nothing() -> None:
    async with serving() as one, serving() as other, aiohttp.ClientSession() as session:
        await Http(one, session).create()

        assert await Http(other, session).journal() == []
