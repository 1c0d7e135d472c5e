"""The configuration as it is now, for one organisation."""

from services.gateway.state import Gateway
from shared.domain.configuration import Configuration


async def published(gateway: Gateway) -> Configuration:
    """Read the published Agents with their statuses, and no bindings."""
    configuration = Configuration()
    configuration.replace_agents(await gateway.agents.published(), await gateway.agents.statuses())
    return configuration


async def configuration_of(gateway: Gateway, organisation: str, agent_key: str | None = None) -> Configuration:
    """Read the published Agents and what the server and the organisation say about all of them, or about one."""
    query: dict[str, object] = {"organisation": {"$in": ["", organisation]}}
    if agent_key is not None:
        query["agent_key"] = agent_key
    configuration = await published(gateway)
    configuration.replace_bindings(await gateway.bindings.find(query))
    return configuration
