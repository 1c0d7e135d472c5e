"""Gives a started platform something to do, and waits until it is done."""

import asyncio
import time
from typing import Final
from uuid import uuid4

from infra.chaos.agents import PAUSE
from infra.chaos.backend import Backend
from infra.chaos.events import Mix
from infra.chaos.site import Site
from shared.clock import utc_now
from shared.store.agents import AgentStore
from shared.store.mongo import Database

_POLL_SECONDS: Final = 0.1
_COUNT_SECONDS: Final = 2.0
_FEW: Final = 1_000
_KNOWN_WITHIN_SECONDS: Final = 30.0
_DUE: Final = {"sweep_at": {"$exists": True}}


def new_mix(seed: int, model_share: float) -> Mix:
    """Return events whose ids no other mix has."""
    return Mix(seed, f"chaos{uuid4().hex[:8]}", model_share)


def backend_of(site: Site, mix: Mix) -> Backend:
    """Return a backend that may publish the events of a mix."""
    return Backend(site.stack.gateway_url, {name: site.stack.token(name) for name in mix.organisations})


async def publish_agent(site: Site) -> None:
    """Publish the Agent of the exercises, and wait until the gate starts it."""
    await AgentStore(site.database).publish(PAUSE, "chaos", utc_now())
    mix = new_mix(0, model_share=0.0)
    async with asyncio.timeout(_KNOWN_WITHIN_SECONDS), backend_of(site, mix) as backend:
        while await site.database["runs"].find_one({"agent_key": PAUSE.key}) is None:
            await backend.publish(mix.pauses(1, milliseconds=0))
            await asyncio.sleep(_POLL_SECONDS)


async def comes_to_rest(database: Database, patience_seconds: float) -> bool:
    """Wait until nothing is left to do, or until nothing has moved for so long: then return False.

    On a small machine the faults leave a backlog, which takes its time; whoever calls this bounds that.
    """
    last, moved_at = (-1, -1), time.monotonic()
    while (left := await _left(database)) != (0, 0):
        if left != last:
            last, moved_at = left, time.monotonic()
        elif time.monotonic() - moved_at > patience_seconds:
            return False
        await asyncio.sleep(_POLL_SECONDS if sum(left) < _FEW else _COUNT_SECONDS)
    return True


async def _left(database: Database) -> tuple[int, int]:
    """Return for how many events and how many runs something is left to do."""
    events, runs = [await database[name].count_documents(_DUE, hint="to_sweep") for name in ("events", "runs")]
    return events, runs
