"""The whole platform as a test has it: real processes, callers of any organisation, the database and the model."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from os import kill
from pathlib import Path
from typing import Any

import aiohttp
from pymongo import MongoClient
from pymongo.database import Database

from infra.local.parts import Layout, Part, Stage, towpath
from infra.local.settings import LocalSettings
from infra.local.stack import Stack
from tests.support.caller import Caller
from tests.support.invariants import unfinished
from tests.support.model import Model
from tests.support.waiting import until_seen

DATABASE = "towpath"
FEW_SLOTS = 16
BACKEND = ("backend", "organisation_admin")
REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Platform:
    """A started stack and the ways to look at it."""

    stack: Stack
    parts: Sequence[Part]
    session: aiohttp.ClientSession
    database: Database[Document]
    model: Model

    def caller(
        self,
        organisation: str,
        user: str = "ada",
        roles: tuple[str, ...] = BACKEND,
        projects: tuple[str, ...] = (),
        lifetime_seconds: float = 600,
    ) -> Caller:
        """Return somebody with a token of this stack."""
        return self.bearer(self.stack.token(organisation, user, roles, projects, lifetime_seconds))

    def bearer(self, token: str | None) -> Caller:
        """Return somebody with this token, whatever it is worth."""
        return Caller(self.session, self.stack.gateway_url, token)

    @property
    def services(self) -> list[str]:
        """The names of all service processes."""
        return [part.name for part in self.parts if part.stage is Stage.SERVICE]

    @property
    def runners(self) -> list[str]:
        """The names of the runners."""
        return [part.name for part in self.parts if part.role == "runner"]

    def name_of(self, instance: str) -> str:
        """Return the name of the part that logs under this instance."""
        pid = int(instance.rpartition("-")[2])
        return next(name for name in self.services if self.stack.pid(name) == pid)

    def freeze(self, name: str) -> None:
        """Stop a process where it is, as a long pause of its machine would."""
        kill(self.stack.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on."""
        kill(self.stack.pid(name), signal.SIGCONT)

    @asynccontextmanager
    async def without(self, *names: str) -> AsyncIterator[None]:
        """Have these parts killed, and start them again at the end."""
        await asyncio.gather(*(self.stack.kill(name) for name in names))
        try:
            yield
        finally:
            await asyncio.gather(*(self.stack.start(name) for name in names))

    async def restart(self, *names: str) -> None:
        """Stop these parts as a deployment does, and start them again."""
        await asyncio.gather(*(self.stack.terminate(name) for name in names))
        await asyncio.gather(*(self.stack.start(name) for name in names))

    async def lose_nats(self) -> None:
        """Kill NATS and delete everything it stored."""
        assert self.stack.nats is not None
        await asyncio.to_thread(self.stack.nats.wipe)

    async def settled(self, timeout_seconds: float = 60.0) -> None:
        """Wait until every event is decided, every run has ended, and everything that follows is done."""

        async def look() -> list[str]:
            return unfinished(self.database)

        await until_seen(look, lambda left: not left, timeout_seconds)


@asynccontextmanager
async def running_platform(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    layout: Layout = towpath,
    runners: int = 2,
    cluster: int = 1,
) -> AsyncIterator[Platform]:
    """Start a platform of one's own with servers of its own, and leave nothing behind."""
    data = Path(tempfile.mkdtemp(prefix="platform-", dir=folder))
    # Whatever this machine is set up to use, these servers are there to be killed.
    own = {"nats_url": None, "mongodb_url": None, "openai_api_key": None, "openai_base_url": None, "cluster": cluster}
    settings = LocalSettings(runners=runners).model_copy(update=own).on_free_ports(data)
    # Every start of a process compiles all that it imports, unless somebody keeps the result.
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    stack = Stack(
        settings,
        quiet=True,
        layout=layout,
        environment={"MONGODB_DATABASE": DATABASE, **kept, **(environment or {})},
    )
    try:
        async with stack:
            try:
                async with _connected(stack, layout(settings)) as platform:
                    yield platform
            finally:
                # Stopping in order is tested elsewhere; here it would only take time.
                stack.hurry()
    finally:
        shutil.rmtree(data, ignore_errors=True)
    assert not stack.deaths, stack.deaths


@asynccontextmanager
async def _connected(stack: Stack, parts: Sequence[Part]) -> AsyncIterator[Platform]:
    # A killed gateway leaves connections behind that look alive, so none is used twice.
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=REQUEST_TIMEOUT) as session:
        with MongoClient[Document](stack.mongodb_url, tz_aware=True) as client:
            model = Model(session, f"http://127.0.0.1:{stack.settings.offline_model_port}")
            yield Platform(stack, parts, session, client[DATABASE], model)
