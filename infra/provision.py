"""Creates what the services need: indexes, streams, consumers, and the built-in Agents.

`python -m infra.provision` may be run at any time and any number of times.
"""

import asyncio
import sys

import nats
import nats.errors
import structlog

from contracts.agents import AgentSpec
from shared.catalog.builtin import builtin_agents
from shared.clock import utc_now
from shared.errors import StorageUnavailable
from shared.logging import configure_logging
from shared.messaging.provision import provision_streams_soon
from shared.process import read_settings
from shared.settings import ProvisionSettings
from shared.store.agents import AgentStore
from shared.store.mongo import Mongo
from shared.store.provision import provision_store

log = structlog.get_logger()

CLUSTER_PATIENCE_SECONDS = 30.0


def seeded_agents(settings: ProvisionSettings) -> tuple[AgentSpec, ...]:
    """Return the built-in Agents with the schedules that the settings give them."""
    return builtin_agents(settings.operating_background_interval_seconds, settings.ticket_conflict_scan_hour_utc)


async def provision(settings: ProvisionSettings) -> None:
    """Create and seed everything; raises StorageUnavailable or a NATS error when a server does not answer."""
    mongo = Mongo(settings)
    try:
        await provision_store(mongo.database)
        agents = AgentStore(mongo.database)
        for spec in seeded_agents(settings):
            log.info("agent.seeded", agent=spec.key, result=await agents.seed(spec, utc_now()))
    finally:
        mongo.close()
    client = await nats.connect(settings.nats_servers, connect_timeout=2, max_reconnect_attempts=3)
    try:
        await provision_streams_soon(client, settings, CLUSTER_PATIENCE_SECONDS)
    finally:
        await client.close()


def main() -> None:
    """Provision, or exit with 1 and say which server does not answer."""
    settings = read_settings(ProvisionSettings)
    configure_logging(settings, "provision")
    try:
        asyncio.run(provision(settings))
    except StorageUnavailable as error:
        sys.exit(f"provision: {error.message} (MONGODB_URL)")
    except (TimeoutError, OSError, nats.errors.Error) as error:
        sys.exit(f"provision: NATS does not answer at {settings.nats_url}: {error or type(error).__name__} (NATS_URL)")


if __name__ == "__main__":
    main()
