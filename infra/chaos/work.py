"""Gives a started platform something to do, and waits until it is done."""

import asyncio
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


async def until_at_rest(database: Database) -> None:
    """Wait until nothing is left to do for any event or run; whoever calls this bounds the time."""
    for name in ("events", "runs"):
        while await database[name].find_one(_DUE, {"_id": 1}) is not None:
            await asyncio.sleep(_POLL_SECONDS)
