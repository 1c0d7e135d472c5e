"""The NATS servers of one machine as one: a lone server, or a cluster of three with JetStream."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

from infra.local.errors import StartFailed
from infra.local.nats import FOLDER, NatsServer
from infra.local.ports import LOOPBACK, from_port
from infra.local.settings import NATS_PORTS

POLL_SECONDS = 0.05
READY_TIMEOUT_SECONDS = 30.0
PROBE_TIMEOUT = aiohttp.ClientTimeout(total=1)

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a member of a cluster listens: for clients, for the other members, and for whoever looks at it."""

    client: int
    route: int
    monitoring: int


class NatsMember(NatsServer):
    """One server of a cluster; ready when it offers JetStream, whatever the others do."""

    configuration = FOLDER / "cluster.conf"

    def __init__(self, name: str, ports: Ports, routes: Sequence[int], data_dir: Path, log_path: Path) -> None:
        super().__init__(ports.client, data_dir, log_path)
        self.name = name
        self.monitoring_url = f"http://{LOOPBACK}:{ports.monitoring}"
        self._ports = ports
        self._routes = routes

    def _command(self) -> Sequence[str]:
        routes = ",".join(_route(port) for port in self._routes)
        membership = ["--name", self.name, "--cluster", _route(self._ports.route), "--routes", routes]
        return [*super()._command(), *membership, "-m", str(self._ports.monitoring)]


class NatsCluster:
    """The members, by name; a lone server leads everything."""

    def __init__(self, members: Sequence[NatsServer]) -> None:
        self.members = members

    @classmethod
    def of(cls, size: int, first_port: int, data_folder: Path, log_folder: Path) -> Self:
        """Return a lone server called `nats`, or a cluster of `nats-1`, `nats-2`, ...; nothing is started."""
        if size == 1:
            return cls([NatsServer(first_port, data_folder / "nats", log_folder / "nats.log")])
        found = from_port(first_port, NATS_PORTS[size])
        routes = found[size : 2 * size]
        ports = [Ports(*each) for each in zip(found[:size], routes, found[2 * size :], strict=True)]
        names = [f"nats-{number}" for number in range(1, size + 1)]
        return cls(
            [
                NatsMember(name, each, routes, data_folder / name, log_folder / f"{name}.log")
                for name, each in zip(names, ports, strict=True)
            ]
        )

    @property
    def url(self) -> str:
        """The addresses clients connect to, separated by commas."""
        return ",".join(member.url for member in self.members)

    def wipe(self) -> None:
        """Kill every member and delete everything they stored."""
        for member in self.members:
            member.wipe()

    async def until_ready(self) -> None:
        """Wait until JetStream has a leader and every running member is in step with it.

        Raises `StartFailed` when that takes too long.
        """
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS), _session() as session:
                while not await self._is_ready(session):
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError as error:
            logs = ", ".join(str(member.log_path) for member in self.members)
            raise StartFailed(
                f"The NATS cluster was not ready after {READY_TIMEOUT_SECONDS:.0f} s. Its logs: {logs}"
            ) from error

    async def meta_leader(self) -> str | None:
        """Return the name of the member that leads JetStream itself, or None while there is none."""
        return await self._that_says(lambda name, facts: facts["meta_cluster"].get("leader") == name)

    async def stream_leader(self, stream: str) -> str | None:
        """Return the name of the member that leads the stream, or None while there is none."""
        return await self._that_says(lambda name, facts: _leader_of(stream, facts) == name)

    async def _that_says(self, says: Callable[[str, Facts], bool]) -> str | None:
        """Return the member of whose own facts it is true: the others may not know yet that it ended."""
        async with _session() as session:
            for member in self.members:
                if not isinstance(member, NatsMember):
                    return member.name
                facts = await _facts(session, member)
                if facts is not None and says(member.name, facts):
                    return member.name
        return None

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        running = [member for member in self.members if isinstance(member, NatsMember) and member.is_running]
        answers = await asyncio.gather(*(_get(session, f"{member.monitoring_url}/healthz") for member in running))
        return None not in answers and await self.meta_leader() is not None


def _route(port: int) -> str:
    return f"nats://{LOOPBACK}:{port}"


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=PROBE_TIMEOUT)


def _leader_of(stream: str, facts: Facts) -> str | None:
    for account in facts["account_details"]:
        for detail in account.get("stream_detail", ()):
            if detail["name"] == stream:
                return str(detail["cluster"].get("leader"))
    return None


async def _facts(session: aiohttp.ClientSession, member: NatsMember) -> Facts | None:
    return await _get(session, f"{member.monitoring_url}/jsz?streams=true")


async def _get(session: aiohttp.ClientSession, url: str) -> Facts | None:
    try:
        async with session.get(url) as answer:
            return await answer.json() if answer.ok else None
    except (aiohttp.ClientError, TimeoutError):
        return None
