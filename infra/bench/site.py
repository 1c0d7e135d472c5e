"""A running Towpath to measure, with what scenarios need of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from contracts.agents import AgentSpec
from infra.bench.load.bodies import Bodies
from infra.bench.load.gateway import Gateway
from infra.bench.load.job import Job, Pattern
from infra.bench.scale import Scale
from infra.local.parts import Part, towpath
from infra.local.settings import LocalSettings
from infra.local.stack import Stack
from shared.clock import utc_now
from shared.settings import ServiceSettings
from shared.store.agents import AgentStore
from shared.store.mongo import Database, Document, Mongo

_POLL_SECONDS = 0.03
_DUE: Final = {"sweep_at": {"$exists": True}}
_DUE_INDEX: Final = "to_sweep"
_NOT_PROCESSES = frozenset({"provision"})
# Loading 100,000 documents at once takes longer than a service may wait.
_STORE_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Needs:
    """How the platform has to be started; scenarios with equal needs share one."""

    runners: int = 1
    model_latency_ms: int = 0
    environment: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Site:
    """One started platform; `mongo` is the direct way to its truth."""

    stack: Stack
    mongo: Mongo
    scale: Scale

    @property
    def database(self) -> Database:
        return self.mongo.database

    def pids(self) -> Mapping[str, int]:
        """Return the processes of the platform by name."""
        names = [part.name for part in towpath(self.stack.settings) if part.name not in _NOT_PROCESSES]
        return {name: self.stack.pid(name) for name in [*names, "nats", "mongod"]}

    def job(self, pattern: Pattern, event_type: str, agent_key: str = "", **sizes: float) -> Job:
        """Return a job for an organisation of its own, so that its runs can be counted by an index."""
        tag = uuid4().hex[:12]
        organisation = f"bench-{tag}"
        return Job.model_validate(
            {
                "pattern": pattern,
                "gateway_url": self.stack.gateway_url,
                "nats_url": self.stack.nats_url,
                "token": self.stack.token(organisation),
                "organisation": organisation,
                "event_type": event_type,
                "agent_key": agent_key,
                "tag": tag,
                **sizes,
            }
        )

    async def publish_agent(self, spec: AgentSpec) -> None:
        """Publish an Agent version, and wait until the gate starts it."""
        await AgentStore(self.database).publish(spec, "bench", utc_now())
        await until(lambda: self._is_started(spec))

    async def _is_started(self, spec: AgentSpec) -> bool:
        job = self.job(Pattern.ACCEPT, spec.triggers[0].event)
        async with Gateway(job) as gateway:
            await gateway.publish(Bodies(job.event_type, job.organisation, job.tag).event(0))
        mine = {"organisation": job.organisation}

        async def is_decided() -> bool:
            return await self.database["events"].find_one({**mine, "gated": True}) is not None

        await until(is_decided)
        return await self.database["runs"].find_one(mine) is not None

    async def count_runs(self, organisation: str, status: str) -> int:
        """Return how many runs of the organisation have the status."""
        return await self.database["runs"].count_documents({"organisation": organisation, "status": status})

    async def runs(self, organisation: str) -> list[Document]:
        """Return every run of the organisation."""
        return await self.database["runs"].find({"organisation": organisation}).to_list(None)

    async def until_runs_completed(self, organisation: str, count: int) -> None:
        """Wait until the database says that so many runs are completed."""

        async def are_completed() -> bool:
            return await self.count_runs(organisation, "completed") >= count

        await until(are_completed)

    async def until_settled(self) -> None:
        """Wait until nothing is left to do for any event or run."""

        async def is_settled() -> bool:
            open_ = [
                await self.database[name].find_one(_DUE, {"_id": 1}, hint=_DUE_INDEX) for name in ("events", "runs")
            ]
            return open_ == [None, None]

        await until(is_settled)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds; whoever calls this bounds the time."""
    while True:
        if await condition():
            return
        await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def opened(needs: Needs, scale: Scale, data_folder: Path) -> AsyncIterator[Site]:
    """Start a platform in the folder, and stop it at the end; its load may begin at once."""
    settings = LocalSettings(nats_url=None, mongodb_url=None, openai_api_key=None, openai_base_url=None)
    settings = settings.model_copy(update={"runners": needs.runners}).on_free_ports(data_folder)

    def layout(settings: LocalSettings) -> Sequence[Part]:
        return [_with_latency(part, needs.model_latency_ms) for part in towpath(settings)]

    stack = Stack(settings, quiet=True, layout=layout, environment=dict(needs.environment))
    async with stack:
        mongo = Mongo(ServiceSettings(mongodb_url=stack.mongodb_url, mongodb_timeout_seconds=_STORE_TIMEOUT_SECONDS))
        try:
            yield Site(stack, mongo, scale)
        finally:
            mongo.close()


def _with_latency(part: Part, latency_ms: int) -> Part:
    if part.name != "offline-model" or not latency_ms:
        return part
    return replace(part, command=(*part.command, "--latency-ms", str(latency_ms)))
