"""The servers and services of one machine, started, watched and stopped together."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.environment import gateway_environment, service_environment
from infra.local.lock import sole_use
from infra.local.nats_cluster import NatsCluster
from infra.local.parts import Layout, Part, Stage, towpath
from infra.local.ports import require_free
from infra.local.processes import describe_exit, rotate
from infra.local.replica_set import ReplicaSet
from infra.local.reporter import Reporter, Silent, Terminal
from infra.local.server import EmbeddedServer
from infra.local.settings import LocalSettings
from infra.local.supervised import Supervised
from infra.local.tokens import (
    DEVELOPMENT_ORGANISATION,
    DEVELOPMENT_ROLES,
    DEVELOPMENT_USER,
    LIFETIME_SECONDS,
    mint,
    signing_secret,
)

WATCH_SECONDS = 0.05
GATEWAY = "gateway"


class Stack:
    """Everything Towpath needs, on one machine: `async with Stack(settings, quiet=True) as stack: ...`.

    Parts are called `nats`, `mongod`, `offline-model`, `provision`, `gateway`, `gating`, `scheduler`, `runner-1`, ...;
    with clusters `nats-1`, `nats-2`, ... and `mongod-1`, ...
    `environment` is added for all of them but the servers, `process_environment` for the named ones.
    Nothing is restarted by itself: `deaths` says what ended without being asked to.
    """

    def __init__(
        self,
        settings: LocalSettings,
        *,
        quiet: bool = False,
        layout: Layout = towpath,
        environment: Mapping[str, str] | None = None,
        process_environment: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.settings = settings
        self.log_folder = settings.log_folder
        self.deaths: list[str] = []
        size, folders = settings.cluster, (settings.data_folder, settings.log_folder)
        self.nats = None if settings.nats_url else NatsCluster.of(size, settings.nats_port, *folders)
        self.mongo = None if settings.mongodb_url else ReplicaSet.of(size, settings.mongodb_port, *folders)
        self._reporter: Reporter = Silent() if quiet else Terminal()
        self._quiet = quiet
        self._layout = layout
        self._environment = environment or {}
        self._process_environment = process_environment or {}
        self._clusters = [each for each in (self.nats, self.mongo) if each]
        self._servers: dict[str, EmbeddedServer] = {
            member.name: member for cluster in self._clusters for member in cluster.members
        }
        self._parts: dict[str, Supervised] = {}
        self._resources = ExitStack()
        self._watcher: asyncio.Task[None] | None = None
        self._secret = ""

    @property
    def nats_url(self) -> str:
        """The NATS servers in use."""
        return self.nats.url if self.nats else str(self.settings.nats_url)

    @property
    def mongodb_url(self) -> str:
        """The MongoDB replica set in use."""
        return self.mongo.url if self.mongo else str(self.settings.mongodb_url)

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        return self.settings.gateway_url

    def token(
        self,
        organisation: str = DEVELOPMENT_ORGANISATION,
        user: str = DEVELOPMENT_USER,
        roles: Sequence[str] = DEVELOPMENT_ROLES,
        projects: Sequence[str] = (),
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> str:
        """Return a bearer token that this stack's gateway accepts."""
        audience, issuer = self.settings.auth_audience, self.settings.auth_issuer
        return mint(
            self._secret, organisation, user, roles, projects, lifetime_seconds, audience=audience, issuer=issuer
        )

    def pid(self, name: str) -> int:
        """Return the process id of a part or server."""
        return self._find(name).pid

    def is_running(self, name: str) -> bool:
        """Tell whether the process of a part or server exists."""
        return self._find(name).is_running

    def log_path(self, name: str) -> Path:
        """Return the file that holds what a part or server logged."""
        return self._find(name).log_path

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Start everything and wait until it is ready; raise `LocalError`, with nothing left, when that fails."""
        try:
            self._prepare()
            await self._start_all()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop everything in order: services, offline model, NATS, mongod; stopping twice changes nothing."""
        for _, parts in groupby(self._parts.values(), key=lambda each: each.part.role):
            await asyncio.gather(*[self._stop_part(part) for part in parts])
        for cluster in self._clusters:
            await asyncio.gather(*(self._stop_server(server) for server in cluster.members))
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        self._resources.close()

    def hurry(self) -> None:
        """Kill everything at once."""
        for each in self._everything():
            each.kill()

    async def start(self, name: str) -> None:
        """Start one part or server and wait until it is ready."""
        each = self._find(name)
        if isinstance(each, EmbeddedServer):
            await asyncio.to_thread(each.start)
        else:
            await each.start()

    async def kill(self, name: str) -> None:
        """End one part or server as `kill -9` does."""
        await asyncio.to_thread(self._find(name).kill)

    async def wipe(self, name: str) -> None:
        """Kill one server and delete everything it stored."""
        await asyncio.to_thread(self._servers[name].wipe)

    async def terminate(self, name: str) -> bool:
        """Stop one part or server by SIGTERM; return False when it had to be killed."""
        each = self._find(name)
        if isinstance(each, EmbeddedServer):
            return await asyncio.to_thread(each.stop)
        stopped, _ = await each.stop()
        return stopped

    def _prepare(self) -> None:
        self._resources.enter_context(sole_use(self.settings.data_folder))
        self._secret = signing_secret(self.settings)
        for part in self._layout(self.settings):
            self._parts[part.name] = self._supervise(part)
        for server in self._servers.values():
            require_free(server.port, server.port_setting)
        for each in self._parts.values():
            each.require_free_port()

    def _supervise(self, part: Part) -> Supervised:
        environment = service_environment(os.environ, self.settings, self.nats_url, self.mongodb_url)
        if part.role == GATEWAY:
            environment |= gateway_environment(self.settings, self._secret)
        environment |= {**self._environment, **self._process_environment.get(part.name, {})}
        log_path = self.log_folder / f"{part.name}.log"
        rotate(log_path)
        return Supervised(part, log_path, environment, None if self._quiet else self._reporter.line)

    async def _start_all(self) -> None:
        self._watcher = asyncio.create_task(self._watch())
        await self._start_together(list(self._servers))
        for cluster in self._clusters:
            await cluster.until_ready()
        for stage in Stage:
            await self._start_together([name for name, each in self._parts.items() if each.part.stage is stage])

    async def _start_together(self, names: Sequence[str]) -> None:
        if not names:
            return
        self._reporter.step(f"starting {', '.join(names)}")
        try:
            async with asyncio.TaskGroup() as group:
                for name in names:
                    group.create_task(self.start(name))
        except BaseExceptionGroup as failures:
            # One missing server makes several parts fail; the first to notice says it best.
            raise failures.exceptions[0] from failures

    async def _stop_part(self, part: Supervised) -> None:
        if not part.is_running:
            return
        self._reporter.step(f"stopping {part.name}")
        stopped, code = await part.stop()
        if not stopped:
            self._reporter.alarm(
                f"{part.name} did not stop within {part.part.stop_timeout_seconds:.0f} s and was killed"
            )
        elif code != 0 and part.was_ready:
            self._reporter.alarm(f"{part.name} stopped with {describe_exit(code)}, see {part.log_path}")

    async def _stop_server(self, server: EmbeddedServer) -> None:
        if server.is_running:
            self._reporter.step(f"stopping {server.name}")
        if not await asyncio.to_thread(server.stop):
            self._reporter.alarm(
                f"{server.name} did not stop within {server.stop_timeout_seconds:.0f} s and was killed"
            )

    async def _watch(self) -> None:
        while True:
            for part in self._parts.values():
                part.read_log()
            for each in self._everything():
                self._announce_end(each)
            await asyncio.sleep(WATCH_SECONDS)

    def _announce_end(self, each: Supervised | EmbeddedServer) -> None:
        code = each.take_unexpected_end()
        if code is None:
            return
        death = f"{each.name} ended unexpectedly with {describe_exit(code)}"
        self.deaths.append(death)
        self._reporter.alarm(f"{death}. The others keep running; nothing restarts it. Its log: {each.log_path}")

    def _everything(self) -> list[Supervised | EmbeddedServer]:
        return [*self._parts.values(), *self._servers.values()]

    def _find(self, name: str) -> Supervised | EmbeddedServer:
        if name in self._parts:
            return self._parts[name]
        if name in self._servers:
            return self._servers[name]
        raise KeyError(f"{name}; there are {', '.join((*self._servers, *self._parts))}")
