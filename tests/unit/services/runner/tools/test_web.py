"""The web through Exa's library, against a server that speaks its API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from infra.local.ports import free_port
from services.runner.tools.tool import Tool, ToolStops
from services.runner.tools.web import Web, WebAccessRefused, WebRateLimited, WebRequestRefused, WebUnavailable
from services.runner.tools.web_tools import NAMES, web_tools
from shared.errors import AppError, NotNow
from tests.support.exa import KEY, PAGE, FakeExa, fake_exa
from tests.unit.shared.given import NOW

QUESTION = "How wide is a towpath?"


@pytest.fixture
async def exa() -> AsyncIterator[tuple[FakeExa, Web]]:
    async with fake_exa() as (fake, address):
        web = Web(KEY, address, lambda: NOW)
        yield fake, web
        await web.close()


async def called(web: Web, name: str, **arguments: Any) -> Any:
    tools: dict[str, Tool] = {tool.spec.name: tool for tool in web_tools(web)}
    assert set(tools) == NAMES
    nobody: Any = None
    return await tools[name].call(nobody, nobody, arguments)


async def test_a_search_returns_pages_with_the_beginning_of_their_text(exa: tuple[FakeExa, Web]) -> None:
    fake, web = exa

    found = await called(web, "web_search", query=QUESTION, limit=3)

    assert [(each["url"], each["title"]) for each in found] == [(PAGE["url"], PAGE["title"])] * 3
    assert found[0]["published"] == PAGE["publishedDate"]
    assert len(found[0]["text"]) == 1_500
    asked = {"query": QUESTION, "numResults": 3, "contents": {"text": {"maxCharacters": 1_500}}}
    assert fake.asked == [("/search", asked)]


async def test_a_page_is_cut_whatever_the_server_sends(exa: tuple[FakeExa, Web]) -> None:
    page = await called(exa[1], "web_page", url=PAGE["url"])

    assert len(PAGE["text"]) > 20_000
    assert page["text"] == PAGE["text"][:20_000]


async def test_a_page_that_cannot_be_read_is_said_so(exa: tuple[FakeExa, Web]) -> None:
    with pytest.raises(WebRequestRefused, match=r"example\.com/nothing cannot be read"):
        await called(exa[1], "web_page", url="https://example.com/nothing")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, WebRequestRefused),
        (401, WebAccessRefused),
        (402, WebAccessRefused),
        (429, WebRateLimited),
        (500, WebUnavailable),
        (503, WebUnavailable),
    ],
)
async def test_a_refusal_is_an_error_of_its_own_that_quotes_nothing(
    exa: tuple[FakeExa, Web], status: int, error: type[AppError]
) -> None:
    fake, web = exa
    fake.refusals.append((status, {}))

    with pytest.raises(error) as raised:
        await web.search(QUESTION, 1)

    assert QUESTION not in str(raised.value)
    assert KEY not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(("headers", "seconds"), [({"Retry-After": "7"}, 7.0), ({}, 5.0)])
async def test_too_many_calls_wait_as_long_as_exa_asks(
    exa: tuple[FakeExa, Web], headers: dict[str, str], seconds: float
) -> None:
    fake, web = exa
    fake.refusals.append((429, headers))

    with pytest.raises(NotNow) as raised:
        await web.search(QUESTION, 1)

    assert raised.value.retry_after_seconds == seconds
    assert len(await web.search(QUESTION, 1)) == 1


async def test_a_wrong_key_stops_the_run_instead_of_being_told_to_the_model() -> None:
    async with fake_exa() as (_, address):
        web = Web("another key", address, lambda: NOW)
        with pytest.raises(ToolStops, match="EXA_API_KEY"):
            await web.search(QUESTION, 1)
        await web.close()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    web = Web(KEY, f"http://127.0.0.1:{free_port()}", lambda: NOW)

    with pytest.raises(WebUnavailable, match="could not be reached"):
        await web.search(QUESTION, 1)

    await web.close()
