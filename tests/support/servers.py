"""The one place where tests get real NATS and MongoDB servers (a pytest plugin, see `pytest_plugins`).

`NATS_URL` / `MONGODB_URL` when given; else the programs of the wheels; else containers. `TEST_SERVERS=containers`
forces containers. A test whose server is missing fails.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import nats
import pytest
import pytest_asyncio
from pymongo import MongoClient
from pymongo.database import Database

from infra.local.errors import ServerMissing
from infra.local.mongo import MongoServer, mongo_program
from infra.local.nats import NatsServer, nats_program
from infra.local.ports import free_port
from tests.support.containers import engine_answers, mongo_container, nats_container

MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a folder in memory, where a server's fsync costs nothing
FOLDER_PREFIX = "towpath-test-"

Server = TypeVar("Server", bound=NatsServer | MongoServer)


class RunningServer(Protocol):
    """A server that tests may use, wherever it runs."""

    @property
    def url(self) -> str:
        """The address clients connect to."""


@dataclass(frozen=True, slots=True)
class GivenServer:
    """A server that somebody else runs."""

    url: str


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Yield this process's folder for servers' data, in memory where possible; it is deleted at the end."""
    parent = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else Path(tempfile.gettempdir())
    _delete_left_over(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=parent))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def nats_server(server_folder: Path) -> Iterator[RunningServer]:
    """Yield the NATS server shared by the tests of this process."""
    with _nats(server_folder) as server:
        yield server


@pytest.fixture(scope="session")
def mongo_server(server_folder: Path) -> Iterator[RunningServer]:
    """Yield the MongoDB replica set shared by the tests of this process."""
    with _mongo(server_folder) as server:
        yield server


@pytest.fixture
def own_nats_server(server_folder: Path) -> Iterator[NatsServer]:
    """Yield a started NATS server of this test alone, to be killed, wiped and started again."""
    with _running(NatsServer(free_port(), _new_folder(server_folder, "nats"))) as server:
        yield server


@pytest.fixture
def own_mongo_server(server_folder: Path) -> Iterator[MongoServer]:
    """Yield a started MongoDB server of this test alone, to be killed, wiped and started again."""
    with _running(MongoServer(free_port(), _new_folder(server_folder, "mongo"))) as server:
        yield server


@pytest.fixture(scope="session")
def _emptied_database(mongo_server: RunningServer) -> Iterator[Database[dict[str, object]]]:
    name = f"test_{uuid.uuid4().hex}"
    with MongoClient[dict[str, object]](mongo_server.url) as client:
        yield client[name]
        client.drop_database(name)


@pytest.fixture
def mongo_database(_emptied_database: Database[dict[str, object]]) -> str:
    """Return the name of a database that is empty, but for indexes that other tests of this process have left.

    It is emptied before the test: what another one began may have written a little more after its end.
    """
    for name in _with_documents(_emptied_database):
        _emptied_database[name].delete_many({})
    return _emptied_database.name


def _with_documents(database: Database[dict[str, object]]) -> list[str]:
    """Return the collections that hold something, asked in one trip: most tests leave most collections empty."""
    names = [
        name for name in database.list_collection_names(filter={"type": "collection"}) if not name.startswith("system.")
    ]
    if not names:
        return []
    first, *others = [(name, _is_there(name)) for name in names]
    look = first[1] + [{"$unionWith": {"coll": name, "pipeline": stages}} for name, stages in others]
    return [str(found["_id"]) for found in database[first[0]].aggregate(look)]


def _is_there(name: str) -> list[dict[str, object]]:
    """Return the stages that give the name of a collection that has a document."""
    return [{"$limit": 1}, {"$project": {"_id": {"$literal": name}}}]


@pytest_asyncio.fixture
async def clean_nats(nats_server: RunningServer) -> AsyncIterator[str]:
    """Yield the URL of a NATS server without streams; its streams are deleted before and after the test."""
    with _alone_with(nats_server):
        await _delete_streams(nats_server.url)
        yield nats_server.url
        await _delete_streams(nats_server.url)


@contextmanager
def _nats(folder: Path) -> Iterator[RunningServer]:
    if url := os.environ.get("NATS_URL"):
        yield GivenServer(url)
    elif _needs_container(nats_program):
        with nats_container(free_port()) as url:
            yield GivenServer(url)
    else:
        with _running(NatsServer(free_port(), _new_folder(folder, "nats"))) as server:
            yield server


@contextmanager
def _mongo(folder: Path) -> Iterator[RunningServer]:
    if url := os.environ.get("MONGODB_URL"):
        yield GivenServer(url)
    elif _needs_container(mongo_program):
        with mongo_container(free_port()) as url:
            yield GivenServer(url)
    else:
        with _running(MongoServer(free_port(), _new_folder(folder, "mongo"))) as server:
            yield server


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    server.start()
    try:
        yield server
    finally:
        server.wipe()


def _needs_container(find_program: Callable[[], Path]) -> bool:
    if os.environ.get("TEST_SERVERS") == "containers":
        if not engine_answers():
            pytest.fail("TEST_SERVERS=containers, but no Docker engine answers.")
        return True
    try:
        find_program()
    except ServerMissing as missing:
        if not engine_answers():
            pytest.fail(f"{missing} No Docker engine answers either.")
        return True
    return False


def _new_folder(parent: Path, name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent)) / "data"


def _delete_left_over(parent: Path) -> None:
    """Delete the folders of test processes that were killed: in memory they would add up."""
    for folder in parent.glob(f"{FOLDER_PREFIX}*-*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone_with(server: RunningServer) -> Iterator[None]:
    """Hold a lock on the server: a given one is shared by the parallel test processes of this machine."""
    digest = hashlib.sha256(server.url.encode()).hexdigest()[:16]
    with Path(tempfile.gettempdir(), f"{FOLDER_PREFIX}{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _delete_streams(url: str) -> None:
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(str(stream.config.name))
    finally:
        await client.close()
