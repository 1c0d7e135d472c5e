"""/api/integrations/open-webui: a user's own connection, whose key nobody reads again."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from shared.sealing import Sealer
from shared.store.mongo import Mongo
from shared.store.open_webui import connection_id
from tests.integration.gateway.asking import Asking, a_gateway
from tests.support.servers import RunningServer

PATH = "/api/integrations/open-webui"
KEY = "sk-0123456789abcdef"
SEAL = Fernet.generate_key().decode()


@pytest_asyncio.fixture
async def connecting(mongo: Mongo, mongo_server: RunningServer, mongo_database: str) -> AsyncIterator[Asking]:
    """Yield a gateway beside which there is an Open WebUI."""
    settings = {"open_webui_url": "https://chat.example/", "credentials_key": SEAL}
    async with a_gateway(mongo_server.url, mongo_database, **settings) as asking:
        yield asking


async def test_a_key_is_stored_sealed_and_never_shown(connecting: Asking, mongo: Mongo) -> None:
    put = await connecting.ask("PUT", PATH, json={"api_key": KEY})
    shown = await connecting.ask("GET", PATH)

    (stored,) = await mongo.database["open_webui_connections"].find().to_list(None)
    assert Sealer([SEAL]).open(stored["sealed_key"], connection_id("acme", "olga")) == KEY
    assert KEY not in f"{stored}{put.text}{shown.text}"
    assert put.json() == shown.json()
    assert (shown.json()["status"], shown.json()["key_hint"]) == ("waiting", "cdef")
    assert shown.json()["url"] == "https://chat.example"


async def test_a_connection_is_its_users_alone_and_goes_with_its_key(connecting: Asking, mongo: Mongo) -> None:
    await connecting.ask("PUT", PATH, json={"api_key": KEY})

    elsewhere = await connecting.ask("GET", PATH, "organisation_admin", organisation="harbour")
    await connecting.ask("DELETE", PATH, organisation="harbour")
    still_there = await connecting.ask("POST", f"{PATH}/test")
    deleted = await connecting.ask("DELETE", PATH)
    gone = await connecting.ask("POST", f"{PATH}/test")

    assert (elsewhere.status_code, still_there.status_code) == (404, 202)
    assert (deleted.status_code, gone.status_code) == (204, 404)
    assert await mongo.database["open_webui_connections"].count_documents({}) == 0


@pytest.mark.parametrize("key", ["sk-1", "sk-with a space", "sk-line\nbreak-0123"])
async def test_what_can_be_no_key_is_refused_and_not_repeated(connecting: Asking, key: str) -> None:
    refused = await connecting.ask("PUT", PATH, json={"api_key": key})

    assert refused.status_code == 422
    assert key not in refused.json()["detail"]


async def test_without_an_open_webui_nobody_connects(asking: Asking) -> None:
    refused = await asking.ask("PUT", PATH, json={"api_key": KEY})

    assert (refused.status_code, refused.json()["code"]) == (409, "integration_off")
    assert "OPEN_WEBUI_URL" in refused.json()["detail"]
