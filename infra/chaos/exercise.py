"""One exercise: load and faults at the same time, then rest, then the reckoning."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from socket import gethostname
from typing import Final
from uuid import uuid4

from infra.chaos.account import Account, account_of
from infra.chaos.agents import PAUSE
from infra.chaos.backend import Backend, Sending
from infra.chaos.events import Mix
from infra.chaos.examine import complaints
from infra.chaos.inject import Injector
from infra.chaos.ledger import read_back
from infra.chaos.plan import Fault, plan_faults
from infra.chaos.site import RUNNERS, Site
from infra.chaos.takeovers import TakeOvers
from shared.clock import utc_now
from shared.store.agents import AgentStore
from shared.store.mongo import Database

_POLL_SECONDS: Final = 0.1
_KNOWN_WITHIN_SECONDS: Final = 30.0
_DUE: Final = {"sweep_at": {"$exists": True}}


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; the seed decides the faults, the events and their order."""

    seed: int
    seconds: float
    per_second: float
    model_share: float
    settle_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an exercise. `settled_after` is None when it did not come to rest in time."""

    order: Order
    faults: int
    sending: Sending
    load_seconds: float
    settled_after: float | None
    account: Account
    doctor: Sequence[str]
    deaths: Sequence[str]
    take_over_seconds: Sequence[float] = field(default=())

    def violations(self) -> list[str]:
        """Name everything that is not as promised."""
        unheard = self.sending.sent - len(self.sending.accepted)
        return [
            *([f"{unheard} events were never accepted"] if unheard else []),
            *([f"not at rest after {self.order.settle_seconds:.0f} s"] if self.settled_after is None else []),
            *self.account.violations(),
            *(f"doctor: {each}" for each in self.doctor),
            *self.deaths,
        ]


class Exercise:
    """Runs one order on a site."""

    def __init__(self, site: Site, order: Order, say: Callable[[str], None]) -> None:
        self._site = site
        self._order = order
        self._say = say
        self._take_overs = TakeOvers(site.database)
        self._watches: list[asyncio.Task[list[float]]] = []
        self._injector = Injector(site, say, self._on_kill)
        self._mix = Mix(order.seed, f"chaos{uuid4().hex[:8]}", order.model_share)

    async def run(self) -> Outcome:
        """Do all of it; raises only when the exercise itself cannot go on."""
        plan = plan_faults(self._order.seed, self._order.seconds, self._site.targets)
        await self._publish_agent()
        begun = time.monotonic()
        sending = await self._under_load(plan)
        load_seconds = time.monotonic() - begun
        self._say("everything is accepted and every fault is undone; waiting for rest")
        settled_after = await self._settled()
        await asyncio.gather(*self._watches)
        self._say("counting")
        seen = await read_back(self._site, self._mix.organisations)
        return Outcome(
            order=self._order,
            faults=self._injector.injected,
            sending=sending,
            load_seconds=load_seconds,
            settled_after=settled_after,
            account=account_of(sending.accepted, seen),
            doctor=await complaints(self._site.mongo),
            deaths=list(self._site.stack.deaths),
            take_over_seconds=self._take_overs.seconds,
        )

    async def _under_load(self, plan: Sequence[Fault]) -> Sending:
        keeping = asyncio.create_task(self._injector.keep_running())
        try:
            async with self._backend(self._mix) as backend, asyncio.TaskGroup() as tasks:
                tasks.create_task(backend.publish_for(self._order.seconds, self._order.per_second, self._mix.events()))
                tasks.create_task(self._injector.follow(plan))
            return backend.sending
        finally:
            keeping.cancel()

    def _backend(self, mix: Mix) -> Backend:
        tokens = {name: self._site.stack.token(name) for name in mix.organisations}
        return Backend(self._site.stack.gateway_url, tokens)

    def _on_kill(self, name: str, pid: int, killed_at: float) -> None:
        if name in RUNNERS:
            owner = f"{gethostname()}-{pid}"
            self._watches.append(asyncio.create_task(self._take_overs.watch(owner, killed_at)))

    async def _publish_agent(self) -> None:
        """Publish the Agent, and wait until the gate starts it."""
        await AgentStore(self._site.database).publish(PAUSE, "chaos", utc_now())
        probes = Mix(self._order.seed, f"probe{uuid4().hex[:8]}", model_share=0.0)
        async with asyncio.timeout(_KNOWN_WITHIN_SECONDS), self._backend(probes) as backend:
            while await self._site.database["runs"].find_one({"agent_key": PAUSE.key}) is None:
                await backend.publish_for(_POLL_SECONDS, 1 / _POLL_SECONDS, probes.events())

    async def _settled(self) -> float | None:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self._order.settle_seconds):
                while not await is_at_rest(self._site.database):
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            return None
        return time.monotonic() - begun


async def is_at_rest(database: Database) -> bool:
    """Tell whether nothing is left to do for any event or run."""
    return all([await database[name].find_one(_DUE, {"_id": 1}) is None for name in ("events", "runs")])
