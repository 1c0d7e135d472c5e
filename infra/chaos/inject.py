"""Does what a plan says, and undoes it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final, assert_never

from infra.chaos.plan import Action, Fault
from infra.chaos.proxy import Direction, Proxy
from infra.chaos.site import Site
from infra.local.errors import LocalError

_RESTART_SECONDS: Final = 90.0
_AGAIN_AFTER_SECONDS: Final = 0.3
_ELECTION_SECONDS: Final = 10.0
_STALLED: Final = {
    Action.STALL: tuple(Direction),
    Action.STALL_REQUESTS: (Direction.REQUESTS,),
    Action.STALL_ANSWERS: (Direction.ANSWERS,),
}

OnKill = Callable[[str, int, float], None]


class Injector:
    """Injects faults into a site. It touches only processes and connections that the site has started."""

    def __init__(self, site: Site, say: Callable[[str], None], on_kill: OnKill) -> None:
        self.injected = 0
        self._site = site
        self._say = say
        self._on_kill = on_kill
        # A process that takes long to start is not broken again meanwhile; the plan allows for less.
        self._groups: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def follow(self, plan: Sequence[Fault]) -> None:
        """Inject every fault at its time, and return when the last one is undone."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as faults:
            for fault in plan:
                await asyncio.sleep(begun + fault.at_second - time.monotonic())
                faults.create_task(self._inject(fault))

    async def keep_running(self) -> None:
        """Start again what has ended by itself, until cancelled: whoever supervises processes would."""
        while True:
            for name in self._site.services:
                group = self._groups[name]
                if not group.locked() and not self._site.stack.is_running(name):
                    async with group:
                        self._say(f"          {name} has ended by itself")
                        await self._restarted(name, 0.0)
            await asyncio.sleep(_AGAIN_AFTER_SECONDS)

    async def _inject(self, fault: Fault) -> None:
        async with self._groups[fault.group]:
            proxies = self._site.proxies.get(fault.target)
            if proxies is None:
                name = await self._process_of(fault)
                if name is not None:
                    self._tell(fault, name)
                    await self._break_process(fault, name)
            else:
                self._tell(fault, fault.target)
                await self._break_connections(fault, proxies)
            self.injected += 1

    async def _process_of(self, fault: Fault) -> str | None:
        """Return the process that is meant, after an election if there is one; None when there is no leader in time."""
        for _ in range(int(_ELECTION_SECONDS / _AGAIN_AFTER_SECONDS)):
            name = await self._site.process_of(fault.target)
            if name is not None and self._site.stack.is_running(name):
                return name
            await asyncio.sleep(_AGAIN_AFTER_SECONDS)
        self._say(f"{fault.at_second:6.1f} s  there is no {fault.target} to {fault.action}")
        return None

    def _tell(self, fault: Fault, name: str) -> None:
        named = fault.target if name == fault.target else f"{fault.target} ({name})"
        self._say(f"{fault.at_second:6.1f} s  {fault.action} {named} for {fault.seconds:.1f} s")

    async def _break_process(self, fault: Fault, name: str) -> None:
        match fault.action:
            case Action.KILL:
                pid = self._site.stack.pid(name)
                await self._site.stack.kill(name)
                self._on_kill(name, pid, time.time())
                await self._restarted(name, fault.seconds)
            case Action.WIPE:
                await self._site.stack.wipe(name)
                await self._restarted(name, fault.seconds)
            case Action.FREEZE:
                await self._freeze(name, fault.seconds)
            case _:
                raise ValueError(f"{fault.action} is nothing that happens to a process")

    async def _freeze(self, name: str, seconds: float) -> None:
        self._site.freeze(name)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._site.thaw(name)

    async def _restarted(self, name: str, after_seconds: float) -> None:
        """Start it again as whoever supervises processes would: until it stays."""
        await asyncio.sleep(after_seconds)
        async with asyncio.timeout(_RESTART_SECONDS):
            while True:
                try:
                    await self._site.stack.start(name)
                except LocalError as error:
                    self._say(f"          {name} does not start yet: {str(error).splitlines()[0]}")
                    await self._site.stack.kill(name)
                    await asyncio.sleep(_AGAIN_AFTER_SECONDS)
                else:
                    return

    async def _break_connections(self, fault: Fault, proxies: Sequence[Proxy]) -> None:
        match fault.action:
            case Action.CUT:
                await self._cut(proxies, fault.seconds)
            case Action.STALL | Action.STALL_REQUESTS | Action.STALL_ANSWERS:
                await self._stall(proxies, _STALLED[fault.action], fault.seconds)
            case Action.KILL | Action.FREEZE | Action.WIPE:
                raise ValueError(f"{fault.action} is nothing that happens to a connection")
            case _:
                assert_never(fault.action)

    async def _cut(self, proxies: Sequence[Proxy], seconds: float) -> None:
        await asyncio.gather(*(proxy.cut() for proxy in proxies))
        try:
            await asyncio.sleep(seconds)
        finally:
            await asyncio.gather(*(proxy.listen() for proxy in proxies))

    async def _stall(self, proxies: Sequence[Proxy], directions: Sequence[Direction], seconds: float) -> None:
        for proxy in proxies:
            proxy.stall(*directions)
        try:
            await asyncio.sleep(seconds)
        finally:
            for proxy in proxies:
                proxy.resume()
