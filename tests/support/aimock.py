"""An OpenAI-compatible server that others wrote, to see that the adapter speaks the API and not our offline model.

It answers calls by fixtures, keeps a journal, and knows no background: it takes such a call and answers it at once,
and does not find the response again. `./taskw test` installs it (see `tests/aimock/install`).
"""

import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from infra.local.ports import LOOPBACK, accepts, free_port
from tests.support.processes import until

FOLDER = Path(__file__).parents[1] / "aimock"
NODE = FOLDER / "node_modules" / "node.path"
PROGRAM = FOLDER / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
STOP_SECONDS = 5.0

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Aimock:
    """The server, steered and looked at by a test."""

    session: aiohttp.ClientSession
    url: str

    @property
    def base_url(self) -> str:
        """What a client of the API is given as OPENAI_BASE_URL."""
        return f"{self.url}/v1"

    async def will(self, *fixtures: Document) -> None:
        """Answer calls by these fixtures: the first whose `match` fits gives the `response`."""
        async with self.session.post(f"{self.url}/__aimock/fixtures", json={"fixtures": fixtures}) as answer:
            assert answer.status == 200, await answer.text()

    async def calls(self) -> list[Document]:
        """Return the calls for a response, oldest first: `body` in the form of a chat, `response` with its status."""
        query = {"method": "POST", "path": "/v1/responses"}
        async with self.session.get(f"{self.url}/__aimock/journal", params=query) as answer:
            answer.raise_for_status()
            return [each for each in await answer.json() if each["path"] == query["path"]]


@pytest.fixture(scope="session")
def aimock_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of the server shared by the tests of this process."""
    if not (PROGRAM.exists() and NODE.exists()):
        pytest.fail("aimock is not installed. Run ./taskw test:conformance, which installs it first.")
    port = free_port()
    log = tmp_path_factory.mktemp("aimock") / "log"
    options = [
        "--port",
        str(port),
        "--host",
        LOOPBACK,
        "--journal-max",
        "0",
        "--fixtures",
        str(FOLDER / "fixtures.json"),
    ]
    with log.open("w") as output:
        server = subprocess.Popen(
            [NODE.read_text().strip(), str(PROGRAM), *options, "--log-level", "warn"], stdout=output, stderr=output
        )
    try:
        until(lambda: accepts(port) or server.poll() is not None)
        assert server.poll() is None, log.read_text()
        yield f"http://{LOOPBACK}:{port}"
    finally:
        _stop(server)


@pytest_asyncio.fixture
async def aimock(aimock_url: str) -> AsyncIterator[Aimock]:
    """Yield the server without fixtures and with an empty journal."""
    async with fresh_aimock(aimock_url) as server:
        yield server


@asynccontextmanager
async def fresh_aimock(url: str) -> AsyncIterator[Aimock]:
    """Give the server without fixtures and with an empty journal."""
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{url}/__aimock/reset") as answer:
            answer.raise_for_status()
        yield Aimock(session, url)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
