"""The configuration as it is now, for one organisation."""

from services.gateway.state import Gateway
from shared.domain.configuration import Configuration


async def configuration_of(gateway: Gateway, organisation: str, agent_key: str | None = None) -> Configuration:
    """Read the published Agents and what the server and the organisation say about all of them, or about one."""
    query: dict[str, object] = {"organisation": {"$in": ["", organisation]}}
    if agent_key is not None:
        query["agent_key"] = agent_key
    configuration = Configuration()
    configuration.replace_agents(await gateway.agents.published(), await gateway.agents.statuses())
    configuration.replace_bindings(await gateway.bindings.find(query))
    return configuration
