"""A MongoDB replica set of three: nothing confirmed is lost with any one member, and every member finds back."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import NotPrimaryError

from infra.local.mongo import MongoServer
from infra.local.ports import free_port
from infra.local.replica_set import ReplicaSet
from tests.support.duration import only_when_long
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("clusters"),
    pytest.mark.timeout(60),
]

SIZE = 3
DOCUMENTS = 20

Document = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def made(server_folder: Path) -> AsyncIterator[ReplicaSet]:
    folder = Path(tempfile.mkdtemp(prefix="replica-set-", dir=server_folder))
    replica_set = ReplicaSet.of(SIZE, free_port(SIZE), folder, folder)
    try:
        await _start(replica_set)
        yield replica_set
    finally:
        await asyncio.to_thread(replica_set.wipe)


@pytest_asyncio.fixture(loop_scope="module")
async def replica_set(made: ReplicaSet) -> AsyncIterator[ReplicaSet]:
    """Yield the replica set with some documents; all of its members run again when the test ends."""
    with _documents(made) as documents:
        await asyncio.to_thread(documents.drop)
        await asyncio.to_thread(_insert, documents)
    yield made
    await _start(made)


async def _start(replica_set: ReplicaSet) -> None:
    await asyncio.gather(*(asyncio.to_thread(member.start) for member in replica_set.members))
    await replica_set.until_ready()


@contextmanager
def _documents(replica_set: ReplicaSet) -> Iterator[Collection[Document]]:
    with MongoClient[Document](replica_set.url, w="majority", journal=True, timeoutMS=20_000) as client:
        yield client["kept"]["documents"]


def _insert(documents: Collection[Document]) -> None:
    for _ in range(DOCUMENTS):
        documents.insert_one({})


def _count(replica_set: ReplicaSet) -> int:
    with _documents(replica_set) as documents:
        return documents.count_documents({})


def _count_at(member: MongoServer) -> int:
    """Return how many documents a member has, none while it is still recovering."""
    with member.client() as client:
        try:
            return client["kept"].get_collection("documents").count_documents({})
        except NotPrimaryError:
            return 0


async def _primary(replica_set: ReplicaSet) -> MongoServer:
    name = await until_seen(replica_set.primary, lambda name: name is not None)
    return next(member for member in replica_set.members if member.name == name)


@only_when_long
async def test_writes_go_on_when_the_primary_is_killed(replica_set: ReplicaSet) -> None:
    killed = await _primary(replica_set)

    await asyncio.to_thread(killed.kill)
    with _documents(replica_set) as documents:
        await asyncio.to_thread(_insert, documents)

    assert (await _primary(replica_set)).name != killed.name
    assert await asyncio.to_thread(_count, replica_set) == 2 * DOCUMENTS


async def test_a_member_that_lost_everything_gets_it_back(replica_set: ReplicaSet) -> None:
    primary = await _primary(replica_set)
    lost = next(member for member in replica_set.members if member is not primary)

    await asyncio.to_thread(lost.wipe)
    await _start(replica_set)

    async def look() -> int:
        return await asyncio.to_thread(_count_at, lost)

    await until_seen(look, lambda count: count == DOCUMENTS)


@only_when_long
async def test_without_a_majority_there_is_no_primary(replica_set: ReplicaSet) -> None:
    primary = await _primary(replica_set)

    for member in replica_set.members:
        if member is not primary:
            await asyncio.to_thread(member.kill)

    await until_seen(replica_set.primary, lambda name: name is None)
    assert primary.is_running


@only_when_long
async def test_members_on_other_ports_are_the_same_replica_set(replica_set: ReplicaSet) -> None:
    await asyncio.gather(*(asyncio.to_thread(member.stop) for member in replica_set.members))
    first = free_port(SIZE)
    for number, member in enumerate(replica_set.members):
        member.port = first + number

    await _start(replica_set)

    assert await asyncio.to_thread(_count, replica_set) == DOCUMENTS
