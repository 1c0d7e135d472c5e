"""One exercise: load and faults at the same time, then rest, then the reckoning."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from socket import gethostname
from typing import Final, Literal

from infra.chaos.account import Account, account_of
from infra.chaos.backend import Sending
from infra.chaos.examine import complaints
from infra.chaos.inject import Injector
from infra.chaos.ledger import read_back
from infra.chaos.plan import Fault, plan_faults, targets
from infra.chaos.site import RUNNERS, Site
from infra.chaos.takeovers import TakeOvers
from infra.chaos.work import backend_of, comes_to_rest, new_mix, publish_agent

NOT_AT_REST: Final = "not at rest: nothing moved for {:.0f} s, or it took half an hour"
_LONGEST_REST_SECONDS: Final = 1_800.0


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; the seed decides the faults, the events and their order."""

    seed: int
    seconds: float
    per_second: float
    model_share: float
    cluster: Literal[1, 3] = 1
    patience_seconds: float = 60.0
    """How long nothing may move at the end, while something is left to do."""

    def plan(self) -> list[Fault]:
        """Return what is broken when."""
        return plan_faults(self.seed, self.seconds, targets(RUNNERS, self.cluster))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an exercise. `settled_after` is None when it did not come to rest in time."""

    order: Order
    faults: int
    sending: Sending
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
            *([NOT_AT_REST.format(self.order.patience_seconds)] if self.settled_after is None else []),
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
        self._mix = new_mix(order.seed, order.model_share)

    async def run(self) -> Outcome:
        """Do all of it; raises only when the exercise itself cannot go on."""
        plan = self._order.plan()
        await publish_agent(self._site)
        sending = await self._under_load(plan)
        self._say("everything is accepted and every fault is undone; waiting for rest")
        settled_after = await self._settled()
        await asyncio.gather(*self._watches)
        self._say("counting")
        seen = await read_back(self._site, self._mix.organisations)
        return Outcome(
            order=self._order,
            faults=self._injector.injected,
            sending=sending,
            settled_after=settled_after,
            account=account_of(sending.accepted, seen),
            doctor=await complaints(self._site.mongo),
            deaths=list(self._site.stack.deaths),
            take_over_seconds=self._take_overs.seconds,
        )

    async def _under_load(self, plan: Sequence[Fault]) -> Sending:
        keeping = asyncio.create_task(self._injector.keep_running())
        try:
            async with backend_of(self._site, self._mix) as backend, asyncio.TaskGroup() as tasks:
                tasks.create_task(backend.publish_for(self._order.seconds, self._order.per_second, self._mix.events()))
                tasks.create_task(self._injector.follow(plan))
            return backend.sending
        finally:
            keeping.cancel()

    def _on_kill(self, name: str, pid: int, killed_at: float) -> None:
        if name in RUNNERS:
            owner = f"{gethostname()}-{pid}"
            self._watches.append(asyncio.create_task(self._take_overs.watch(owner, killed_at)))

    async def _settled(self) -> float | None:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(_LONGEST_REST_SECONDS):
                is_at_rest = await comes_to_rest(self._site.database, self._order.patience_seconds)
        except TimeoutError:
            return None
        return time.monotonic() - begun if is_at_rest else None
