"""The MongoDB servers of one machine as one: a replica set of one member, or of three."""

import asyncio
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from infra.local.errors import StartFailed
from infra.local.mongo import (
    Document,
    MongoServer,
    initiate_replica_set,
    is_primary,
    replica_set_url,
    stored_config,
)
from infra.local.ports import from_port

POLL_SECONDS = 0.05
READY_TIMEOUT_SECONDS = 60.0
IN_STEP = {"PRIMARY", "SECONDARY"}

Clients = dict[str, MongoClient[Document]]


class MongoMember(MongoServer):
    """One server of a replica set of several; ready when it answers, whatever the others do."""

    # Three of them share what one server would have to itself.
    cache_gigabytes = 0.25
    hand_over_milliseconds = 1_000

    def __init__(self, name: str, port: int, data_dir: Path, log_path: Path) -> None:
        super().__init__(port, data_dir, log_path)
        self.name = name

    def _join(self, client: MongoClient[Document], deadline: float) -> None:
        """Leave it to the replica set, which is made when all of its members answer."""


class ReplicaSet:
    """The members, by name."""

    def __init__(self, members: Sequence[MongoServer]) -> None:
        self.members = members

    @classmethod
    def of(cls, size: int, first_port: int, data_folder: Path, log_folder: Path) -> Self:
        """Return a lone server called `mongod`, or `mongod-1`, `mongod-2`, ...; nothing is started."""
        if size == 1:
            return cls([MongoServer(first_port, data_folder / "mongod", log_folder / "mongod.log")])
        named = [(f"mongod-{number}", port) for number, port in enumerate(from_port(first_port, size), 1)]
        return cls([MongoMember(name, port, data_folder / name, log_folder / f"{name}.log") for name, port in named])

    @property
    def url(self) -> str:
        """The address clients connect to."""
        return replica_set_url(self.members)

    def wipe(self) -> None:
        """Kill every member and delete everything they stored."""
        for member in self.members:
            member.wipe()

    async def until_ready(self) -> None:
        """Make the running members a replica set, and wait until it has a primary and all are in step with it.

        Raises `StartFailed` when that takes too long.
        """
        await asyncio.to_thread(self._become_ready)

    async def primary(self) -> str | None:
        """Return the name of the primary, or None while there is none."""
        return await asyncio.to_thread(self._primary)

    def _become_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        with self._clients() as clients:
            try:
                initiator = max(clients.values(), key=_version_of_config)
                initiate_replica_set(initiator, *(member.address for member in self.members))
            except PyMongoError as error:
                raise self._failed(f"could not be made: {error}") from error
            while not any(_leads(client, clients) for client in clients.values()):
                if time.monotonic() > deadline:
                    raise self._failed(f"was not ready after {READY_TIMEOUT_SECONDS:.0f} s")
                if len(clients) > sum(member.is_running for member in self.members):
                    raise self._failed("lost a member before it was ready")
                time.sleep(POLL_SECONDS)

    def _primary(self) -> str | None:
        with self._clients() as clients:
            names = {member.address: member.name for member in self.members}
            return next((names[address] for address, client in clients.items() if is_primary(client)), None)

    @contextmanager
    def _clients(self) -> Iterator[Clients]:
        """Yield a connection to each running member, by its address."""
        with ExitStack() as stack:
            running = [member for member in self.members if member.is_running]
            yield {member.address: stack.enter_context(member.client()) for member in running}

    def _failed(self, what: str) -> StartFailed:
        logs = ", ".join(str(member.log_path) for member in self.members)
        return StartFailed(f"The replica set {what}. Its logs: {logs}")


def _leads(client: MongoClient[Document], addresses: Collection[str]) -> bool:
    """Tell whether the server is primary, and the servers at these addresses are in step with it."""
    if not is_primary(client):
        return False
    try:
        members = client.admin.command("replSetGetStatus")["members"]
    except PyMongoError:
        return False
    return set(addresses) <= {member["name"] for member in members if member["stateStr"] in IN_STEP}


def _version_of_config(client: MongoClient[Document]) -> int:
    config = stored_config(client)
    return 0 if config is None else int(config["version"])
