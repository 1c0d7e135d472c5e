"""The ways in which take-over is looked at. Each returns what it saw."""

import asyncio
import math
import os
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from socket import gethostname
from typing import Final

from infra.chaos.events import Mix
from infra.chaos.plan import PRIMARY
from infra.chaos.site import RUNNERS, Site
from infra.chaos.takeovers import TakeOvers
from infra.chaos.work import backend_of, comes_to_rest, new_mix, publish_agent

OPEN_RUNS: Final = 64
PAUSE_SECONDS: Final = 2.0
_RUN_SECONDS: Final = 120.0
_CALM_PER_SECOND: Final = 50.0
_CALM_MODEL_SHARE: Final = 0.1
_FAILOVER_SECONDS: Final = 15.0
_LIMIT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Killed:
    """For each kill, the seconds until each of the runs of the runner was claimed by another."""

    kills: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """How many runs there were, and how many of them were taken from a runner that lives."""

    runs: int
    taken_over: int


async def kill(site: Site, times: int, say: Say) -> Killed:
    """Kill a runner that has 64 open runs, again and again; the other one has as many free slots."""
    await publish_agent(site)
    mix, watch = new_mix(0, model_share=0.0), TakeOvers(site.database)
    victim, heir = RUNNERS
    kills = []
    for _ in range(times):
        await _prepare(site, mix, victim, heir)
        pid, killed_at = site.stack.pid(victim), time.time()
        # Without waiting for its end first, which takes as long as the kernel needs to free its memory.
        os.kill(pid, signal.SIGKILL)
        await site.stack.kill(victim)
        async with asyncio.timeout(_LIMIT_SECONDS):
            taken = await watch.watch(_instance(pid), killed_at)
        say(f"{victim} killed: {len(taken)} runs run elsewhere, the last after {max(taken, default=0.0):.2f} s")
        kills.append(taken)
        await _cancel(site, mix)
        victim, heir = heir, victim
    return Killed(kills)


async def calm(site: Site, seconds: float) -> Undisturbed:
    """Let it work as on any day."""
    return await _undisturbed(site, seconds, None)


async def pause(site: Site, times: int, say: Say) -> Undisturbed:
    """Stop a runner for two seconds while it works, as a busy machine does, again and again."""

    async def pausing() -> None:
        for number in range(times):
            await asyncio.sleep(PAUSE_SECONDS)
            name = RUNNERS[number % len(RUNNERS)]
            say(f"{name} paused for {PAUSE_SECONDS:.0f} s")
            site.freeze(name)
            try:
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                site.thaw(name)

    return await _undisturbed(site, 2 * PAUSE_SECONDS * times + PAUSE_SECONDS, pausing())


async def failover(site: Site, times: int, say: Say) -> Undisturbed:
    """Kill the primary of the replica set while runners work, again and again."""

    async def failing() -> None:
        for _ in range(times):
            await asyncio.sleep(PAUSE_SECONDS)
            name = await _primary(site)
            say(f"{name}, the primary, killed")
            await site.stack.kill(name)
            began = time.monotonic()
            say(f"{await _primary(site)} is primary after {time.monotonic() - began:.1f} s")
            await site.stack.start(name)
            await asyncio.sleep(_FAILOVER_SECONDS - PAUSE_SECONDS)

    return await _undisturbed(site, _FAILOVER_SECONDS * times, failing())


async def _undisturbed(site: Site, seconds: float, meanwhile: Coroutine[None, None, None] | None) -> Undisturbed:
    """Publish at a pace that leaves the machine room, have something happen, and count what was taken over."""
    await publish_agent(site)
    mix = new_mix(0, _CALM_MODEL_SHARE)
    async with backend_of(site, mix) as backend, asyncio.TaskGroup() as tasks:
        tasks.create_task(backend.publish_for(seconds, _CALM_PER_SECOND, mix.events()))
        if meanwhile is not None:
            tasks.create_task(meanwhile)
    await _at_rest(site)
    mine = {"organisation": {"$in": mix.organisations}}
    runs = site.database["runs"]
    return Undisturbed(await runs.count_documents(mine), await runs.count_documents({**mine, "losses": {"$gt": 0}}))


async def _prepare(site: Site, mix: Mix, victim: str, heir: str) -> None:
    """Give the victim 64 open runs while it is alone, then start the heir."""
    await site.stack.terminate(heir)
    async with backend_of(site, mix) as backend, asyncio.timeout(_LIMIT_SECONDS):
        await backend.publish(mix.pauses(OPEN_RUNS, milliseconds=int(_RUN_SECONDS * 1_000)))
        while await _open_runs(site, victim) < OPEN_RUNS:
            await asyncio.sleep(_POLL_SECONDS)
    await site.stack.start(heir)


async def _cancel(site: Site, mix: Mix) -> None:
    async with backend_of(site, mix) as backend:
        await backend.cancel_all(mix.organisations[0])
    await _at_rest(site)


async def _open_runs(site: Site, name: str) -> int:
    mine = {"sweep_at": {"$exists": True}, "owner": _instance(site.stack.pid(name)), "status": "running"}
    return await site.database["runs"].count_documents(mine)


async def _at_rest(site: Site) -> None:
    async with asyncio.timeout(_LIMIT_SECONDS):
        await comes_to_rest(site.database, math.inf)


async def _primary(site: Site) -> str:
    async with asyncio.timeout(_LIMIT_SECONDS):
        while (name := await site.process_of(PRIMARY)) is None:
            await asyncio.sleep(_POLL_SECONDS)
    return name


def _instance(pid: int) -> str:
    return f"{gethostname()}-{pid}"
