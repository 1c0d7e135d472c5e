"""A running Towpath with a proxy in front of its servers, and a runner whose clock is wrong."""

import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from os import kill
from pathlib import Path
from typing import Final, Literal

from infra.chaos.clock import clock_ahead
from infra.chaos.plan import META_LEADER, PRIMARY, RUNS_LEADER, TO_MONGODB, TO_NATS
from infra.chaos.proxy import Proxy, proxied
from infra.local.parts import Part, Stage, towpath
from infra.local.ports import LOOPBACK, free_port, from_port
from infra.local.settings import LocalSettings
from infra.local.stack import Stack
from shared.settings import ServiceSettings
from shared.store.mongo import Database, Mongo

RUNNERS: Final = ("runner-1", "runner-2")
WRONG_CLOCK: Final = "runner-2"
CLOCK_MINUTES: Final = 5
SLOTS: Final = 256
MODEL_SECONDS: Final = (0.2, 2.0)

_JOURNAL_LIMIT: Final = 1_000_000
# Reading everything back at the end takes longer than a service may wait.
_STORE_TIMEOUT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Site:
    """One started platform. `mongo` is the way to its truth that no proxy and no fault of a connection disturbs."""

    stack: Stack
    mongo: Mongo
    proxies: Mapping[str, Sequence[Proxy]]

    @property
    def database(self) -> Database:
        """What holds the truth."""
        return self.mongo.database

    @property
    def services(self) -> list[str]:
        """The names of all service processes."""
        return [part.name for part in towpath(self.stack.settings) if part.stage is Stage.SERVICE]

    @property
    def model_url(self) -> str:
        """Where the provider's journal is."""
        return f"http://{LOOPBACK}:{self.stack.settings.offline_model_port}"

    async def process_of(self, target: str) -> str | None:
        """Return the part or server that is meant by a target now; None while there is no such leader."""
        if target == PRIMARY and self.stack.mongo is not None:
            return await self.stack.mongo.primary()
        if target == META_LEADER and self.stack.nats is not None:
            return await self.stack.nats.meta_leader()
        if target == RUNS_LEADER and self.stack.nats is not None:
            return await self.stack.nats.stream_leader("RUNS")
        return target

    def freeze(self, name: str) -> None:
        """Stop a process where it is."""
        kill(self.stack.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on; nothing happens when it does not run."""
        if self.stack.is_running(name):
            kill(self.stack.pid(name), signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class Setup:
    """How a platform is started; as everybody starts it, unless told otherwise."""

    cluster: Literal[1, 3] = 1
    is_proxied: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    of_process: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def disturbed(cluster: Literal[1, 3]) -> Setup:
    """Return the setup of an exercise: proxies, many slots, and one runner with a wrong clock."""
    environment = {"RUNNER_SLOTS": str(SLOTS)}
    return Setup(cluster, True, environment, {WRONG_CLOCK: clock_ahead(CLOCK_MINUTES)})


@asynccontextmanager
async def opened(folder: Path, setup: Setup) -> AsyncIterator[Site]:
    """Start a platform in the folder, and stop it at the end."""
    settings = LocalSettings(nats_url=None, mongodb_url=None, openai_api_key=None, openai_base_url=None)
    chosen = {"runners": len(RUNNERS), "cluster": setup.cluster}
    settings = settings.model_copy(update=chosen).on_free_ports(folder)
    async with AsyncExitStack() as resources:
        proxies = await resources.enter_async_context(_proxies(settings)) if setup.is_proxied else {}
        environment = {**setup.environment, **_addresses(proxies)}
        stack = Stack(
            settings, quiet=True, layout=_layout, environment=environment, process_environment=setup.of_process
        )
        await resources.enter_async_context(stack)
        mongo = Mongo(ServiceSettings(mongodb_url=stack.mongodb_url, mongodb_timeout_seconds=_STORE_TIMEOUT_SECONDS))
        resources.callback(mongo.close)
        yield Site(stack, mongo, proxies)


@asynccontextmanager
async def _proxies(settings: LocalSettings) -> AsyncIterator[dict[str, list[Proxy]]]:
    """Yield proxies in front of every NATS server, and of a lone MongoDB server.

    Clients learn the addresses of a replica set of several from its members, who know each other past any proxy.
    """
    behind = {TO_NATS: from_port(settings.nats_port, settings.cluster)}
    if settings.cluster == 1:
        behind[TO_MONGODB] = [settings.mongodb_port]
    async with AsyncExitStack() as resources:
        yield {
            name: [await resources.enter_async_context(proxied(free_port(), port)) for port in ports]
            for name, ports in behind.items()
        }


def _addresses(proxies: Mapping[str, Sequence[Proxy]]) -> dict[str, str]:
    addresses = {}
    if TO_NATS in proxies:
        addresses["NATS_URL"] = ",".join(f"nats://{LOOPBACK}:{proxy.port}" for proxy in proxies[TO_NATS])
    if TO_MONGODB in proxies:
        (proxy,) = proxies[TO_MONGODB]
        # Asked for the members of its replica set, the server would name its own port, past the proxy.
        addresses["MONGODB_URL"] = f"mongodb://{LOOPBACK}:{proxy.port}/?directConnection=true"
    return addresses


def _layout(settings: LocalSettings) -> Sequence[Part]:
    return [_as_provider(part) if part.name == "offline-model" else part for part in towpath(settings)]


def _as_provider(part: Part) -> Part:
    shortest, longest = (str(seconds * 1_000) for seconds in MODEL_SECONDS)
    takes = ("--latency-ms", shortest, "--latency-ms-most", longest, "--journal-limit", str(_JOURNAL_LIMIT))
    return replace(part, command=(*part.command, *takes))
