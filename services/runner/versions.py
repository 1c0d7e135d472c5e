"""Agent versions in memory: they never change, so each is read once."""

from shared.domain.configuration import AgentVersion
from shared.store.agents import AgentStore

_MOST = 2_000


class VersionCache:
    """Reads versions through to the store."""

    def __init__(self, agents: AgentStore) -> None:
        self._agents = agents
        self._known: dict[str, AgentVersion] = {}

    async def get(self, version_id: str) -> AgentVersion | None:
        """Return a version, or None when it does not exist."""
        known = self._known.get(version_id)
        if known is not None:
            return known
        version = await self._agents.version_of_id(version_id)
        if version is not None:
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[version_id] = version
        return version
