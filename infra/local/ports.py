"""TCP ports on loopback: is one free, who holds it, and which could be used."""

import secrets
import socket
from itertools import islice
from pathlib import Path

from infra.local.errors import PortTaken

LOOPBACK = "127.0.0.1"
# Below the range the kernel gives to outgoing connections, so that a stopped server finds its port free again.
FIRST_FREE_PORT = 20_000
FREE_PORTS = 12_000
LAST_PORT = 65_535
ATTEMPTS = 200
LISTEN = "0A"


def require_free(port: int, setting: str) -> None:
    """Raise `PortTaken` naming the port, its holder and the setting that changes it, unless it is free."""
    if is_free(port):
        return
    holder = holder_of(port)
    by = f" by {holder}" if holder else ""
    raise PortTaken(f"Port {port} is already taken{by}. Stop that process, or set {setting} to a free port.")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a connection of the last server that is still being wound up does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Tell whether something accepts connections on the port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def free_port(count: int = 1) -> int:
    """Return a port that is free now, as are those that follow it, `count` in all.

    It is chosen at random, so that parallel callers rarely meet.
    """
    for _ in range(ATTEMPTS):
        port = FIRST_FREE_PORT + secrets.randbelow(FREE_PORTS)
        if all(is_free(port + following) for following in range(count)):
            return port
    raise PortTaken(f"No free port found between {FIRST_FREE_PORT} and {FIRST_FREE_PORT + FREE_PORTS}.")


def from_port(first: int, count: int) -> list[int]:
    """Return `count` ports: the first one, whatever it is used for now, and the next ones that are free."""
    following = (port for port in range(first + 1, LAST_PORT + 1) if is_free(port))
    return [first, *islice(following, count - 1)]


def holder_of(port: int) -> str | None:
    """Return `name (pid n)` of the process that listens on the port, when this user may know it."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if _opens_any(process, sockets):
            return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return None


def _listening_inodes(port: int) -> list[str]:
    inodes = []
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.append(columns[9])
    return inodes


def _opens_any(process: Path, sockets: set[str]) -> bool:
    try:
        return any(str(descriptor.readlink()) in sockets for descriptor in (process / "fd").iterdir())
    except OSError:
        return False
