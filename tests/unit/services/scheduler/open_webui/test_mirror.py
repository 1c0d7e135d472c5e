"""Mirroring over HTTP, against a server that takes only what Open WebUI takes."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
import pytest_asyncio

from services.scheduler.open_webui.client import (
    OpenWebUI,
    OpenWebUIKeyRefused,
    OpenWebUIRefused,
    OpenWebUIUnavailable,
)
from services.scheduler.open_webui.mirror import mirror
from shared.domain.open_webui import Message, Thread
from tests.support.open_webui import KEY, FakeOpenWebUI, an_open_webui
from tests.unit.shared.given import NOW

NEW_CHAT = "/api/v1/chats/new"
THREAD = Thread(
    "run_1",
    "noter",
    "Noter",
    NOW,
    (Message("user", "checkin.submitted", NOW), Message("assistant", "Two things.", NOW)),
    "https://product.example/runs/run_1",
)


@pytest.fixture
def fake() -> FakeOpenWebUI:
    return FakeOpenWebUI()


@pytest_asyncio.fixture
async def client(fake: FakeOpenWebUI) -> AsyncIterator[OpenWebUI]:
    """Yield the access of a user to a server of this test."""
    async with an_open_webui(fake) as url, aiohttp.ClientSession() as session:
        yield OpenWebUI(session, url, KEY, 5.0)


async def test_a_run_becomes_a_chat_in_the_folder_of_its_agent(client: OpenWebUI, fake: FakeOpenWebUI) -> None:
    chat_id = await mirror(client, THREAD)

    (folder,) = fake.folders.values()
    chat = fake.chats[chat_id]
    assert (folder["name"], folder["meta"]) == ("Noter", {"type": "background_agent", "agentId": "noter"})
    assert (chat["title"], chat["folder_id"], chat["archived"]) == ("Noter - 2026-11-20", folder["id"], False)
    said = [(message["role"], message["content"]) for message in chat["chat"]["messages"]]
    assert said[:2] == [("user", "checkin.submitted"), ("assistant", "Two things.")]
    assert "https://product.example/runs/run_1" in said[2][1]


async def test_the_next_run_has_the_chats_before_it_archived(client: OpenWebUI, fake: FakeOpenWebUI) -> None:
    first = await mirror(client, THREAD)
    second = await mirror(client, replace(THREAD, run_id="run_2"))
    third = await mirror(client, replace(THREAD, run_id="run_3"))

    assert [fake.chats[chat]["archived"] for chat in (first, second, third)] == [True, True, False]
    assert len(fake.folders) == 1


async def test_a_run_that_is_shown_already_gets_no_second_chat(client: OpenWebUI, fake: FakeOpenWebUI) -> None:
    fake.lost.append(NEW_CHAT)
    with pytest.raises(OpenWebUIUnavailable):
        await mirror(client, THREAD)

    chat_id = await mirror(client, THREAD)

    assert list(fake.chats) == [chat_id]


async def test_an_archiving_whose_answer_was_lost_is_not_undone(client: OpenWebUI, fake: FakeOpenWebUI) -> None:
    first = await mirror(client, THREAD)
    fake.lost.append(f"/api/v1/chats/{first}/archive")
    following = replace(THREAD, run_id="run_2")
    with pytest.raises(OpenWebUIUnavailable):
        await mirror(client, following)

    second = await mirror(client, following)

    assert (fake.chats[first]["archived"], fake.chats[second]["archived"]) == (True, False)
    assert len(fake.chats) == 2


async def test_what_is_the_users_own_stays_as_it_is(client: OpenWebUI, fake: FakeOpenWebUI) -> None:
    own_folder = fake.folder("noter", {"icon": "pencil"})
    own_chat = fake.chat({"title": "Mine"}, own_folder)
    await mirror(client, THREAD)
    made = next(folder for folder in fake.folders.values() if folder["id"] != own_folder)
    moved = fake.chat({"title": "Moved here by hand"}, made["id"])

    await mirror(client, replace(THREAD, run_id="run_2"))

    assert made["name"] == "Noter (noter)"
    assert not own_chat["archived"]
    assert not moved["archived"]
    assert fake.titles(archived=True) == ["Noter - 2026-11-20"]


async def test_a_chat_is_moved_where_a_new_one_takes_no_folder(client: OpenWebUI, fake: FakeOpenWebUI) -> None:
    fake.takes_folder_of_new_chats = False

    chat_id = await mirror(client, THREAD)

    assert fake.chats[chat_id]["folder_id"] == next(iter(fake.folders))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, OpenWebUIKeyRefused),
        (403, OpenWebUIKeyRefused),
        (429, OpenWebUIUnavailable),
        (503, OpenWebUIUnavailable),
        (302, OpenWebUIRefused),
        (413, OpenWebUIRefused),
    ],
)
async def test_a_refusal_says_what_it_means_and_never_the_key(
    client: OpenWebUI, fake: FakeOpenWebUI, status: int, error: type[Exception]
) -> None:
    fake.refusals.append(status)

    with pytest.raises(error) as raised:
        await client.check()

    assert str(status) in str(raised.value)
    assert KEY not in str(raised.value)


async def test_another_server_at_the_address_is_no_open_webui(client: OpenWebUI) -> None:
    with pytest.raises(OpenWebUIUnavailable, match="does not answer as Open WebUI does"):
        await replace(client, url=f"{client.url}/api/v1/auths/?").folders()


async def test_nobody_at_the_address_is_unavailable(client: OpenWebUI) -> None:
    with pytest.raises(OpenWebUIUnavailable, match="no answer that can be read"):
        await replace(client, url="http://127.0.0.1:1").check()
