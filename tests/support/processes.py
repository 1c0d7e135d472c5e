"""Waiting for conditions, and looking at processes."""

import asyncio
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

from infra.local.ports import LISTEN

POLL_SECONDS = 0.02


def until(condition: Callable[[], bool], timeout_seconds: float = 20.0) -> None:
    """Block until the condition holds; fail with `TimeoutError` when it does not in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the condition did not hold within {timeout_seconds} s")
        time.sleep(POLL_SECONDS)


async def eventually(condition: Callable[[], bool], timeout_seconds: float = 20.0) -> None:
    """Wait until the condition holds, letting the event loop work; fail with `TimeoutError` when it does not."""
    async with asyncio.timeout(timeout_seconds):
        while not condition():
            await asyncio.sleep(POLL_SECONDS)


def process_exists(pid: int) -> bool:
    """Tell whether the process runs; one that ended and only waits to be reaped does not."""
    try:
        status = Path("/proc", str(pid), "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def descendants(pid: int) -> set[int]:
    """Return the processes that the given one started, and those they started."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found: set[int] = set()
    pending = [pid]
    while pending:
        started = children.get(pending.pop(), [])
        found.update(started)
        pending.extend(started)
    return found


def listening(pid: int) -> list[str]:
    """Return the address of every TCP socket that the process listens on, without the port; IPv6 as in /proc."""
    opened = {str(descriptor.readlink()) for descriptor in Path("/proc", str(pid), "fd").iterdir()}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path("/proc", str(pid), "net", table).read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == LISTEN and f"socket:[{columns[9]}]" in opened:
                found.append(_address(columns[1].partition(":")[0]))
    return found


def _address(host: str) -> str:
    # The four bytes of an IPv4 address are written as one little-endian number.
    return str(IPv4Address(bytes.fromhex(host)[::-1])) if len(host) == 8 else host
