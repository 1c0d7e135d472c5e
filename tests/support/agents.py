"""Agents that a test publishes, where there is no other way to yet."""

from contracts.agents import AgentSpec
from shared.clock import utc_now
from shared.settings import ServiceSettings
from shared.store.agents import AgentStore
from shared.store.mongo import Mongo
from tests.support.platform import DATABASE, Platform


async def publish_agents(platform: Platform, *specs: AgentSpec) -> None:
    """Publish these Agents; when this returns, the gate knows them."""
    mongo = Mongo(ServiceSettings(mongodb_url=platform.stack.mongodb_url, mongodb_database=DATABASE))
    for spec in specs:
        await AgentStore(mongo.database).publish(spec, "tests", utc_now())
    mongo.close()
    await platform.restart("gating")


def pausing(key: str, event: str, **changes: object) -> AgentSpec:
    """Return an Agent that waits as long as its events say, without a model."""
    trigger = {"event": event, "target": {"type": "thing", "id": "{id}"}}
    return AgentSpec.model_validate(
        {"key": key, "name": key.capitalize(), "handler": "pause", "triggers": [trigger]} | changes
    )
