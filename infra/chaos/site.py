"""A running Towpath with a proxy in front of its servers, and a runner whose clock is wrong."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from os import kill
from pathlib import Path
from typing import Final

from infra.chaos.clock import clock_ahead
from infra.chaos.plan import Target, single_targets
from infra.chaos.proxy import Proxy, proxied
from infra.local.parts import Part, Stage, towpath
from infra.local.ports import LOOPBACK, free_port
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
    targets: Sequence[Target]

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

    async def process_of(self, target: str) -> str:
        """Return the part or server that is meant by a target now."""
        return target

    def freeze(self, name: str) -> None:
        """Stop a process where it is."""
        kill(self.stack.pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen process go on; nothing happens when it does not run."""
        if self.stack.is_running(name):
            kill(self.stack.pid(name), signal.SIGCONT)

    async def wipe_nats(self) -> None:
        """Kill the NATS server and delete everything it stored."""
        assert self.stack.nats is not None  # noqa: S101 - a site starts its own servers
        await asyncio.to_thread(self.stack.nats.wipe)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Site]:
    """Start a platform in the folder, and stop it at the end."""
    settings = LocalSettings(nats_url=None, mongodb_url=None, openai_api_key=None, openai_base_url=None)
    settings = settings.model_copy(update={"runners": len(RUNNERS)}).on_free_ports(folder)
    nats_port, mongodb_port = free_port(), free_port()
    async with AsyncExitStack() as resources:
        nats = await resources.enter_async_context(proxied(nats_port, settings.nats_port))
        mongodb = await resources.enter_async_context(proxied(mongodb_port, settings.mongodb_port))
        environment = {
            "NATS_URL": f"nats://{LOOPBACK}:{nats_port}",
            # Asked for the members of its replica set, the server would name its own port, past the proxy.
            "MONGODB_URL": f"mongodb://{LOOPBACK}:{mongodb_port}/?directConnection=true",
            "RUNNER_SLOTS": str(SLOTS),
        }
        stack = await resources.enter_async_context(_stack(settings, environment))
        mongo = Mongo(ServiceSettings(mongodb_url=stack.mongodb_url, mongodb_timeout_seconds=_STORE_TIMEOUT_SECONDS))
        resources.callback(mongo.close)
        proxies = {"connections to nats": [nats], "connections to mongod": [mongodb]}
        yield Site(stack, mongo, proxies, single_targets(RUNNERS))


def _stack(settings: LocalSettings, environment: Mapping[str, str]) -> Stack:
    return Stack(
        settings,
        quiet=True,
        layout=_layout,
        environment=environment,
        process_environment={WRONG_CLOCK: clock_ahead(CLOCK_MINUTES)},
    )


def _layout(settings: LocalSettings) -> Sequence[Part]:
    return [_as_provider(part) if part.name == "offline-model" else part for part in towpath(settings)]


def _as_provider(part: Part) -> Part:
    shortest, longest = (str(seconds * 1_000) for seconds in MODEL_SECONDS)
    takes = ("--latency-ms", shortest, "--latency-ms-most", longest, "--journal-limit", str(_JOURNAL_LIMIT))
    return replace(part, command=(*part.command, *takes))
