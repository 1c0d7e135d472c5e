"""Agent versions in memory: they never change, so each is read once."""

from shared.domain.configuration import AgentVersion
from shared.store.agents import AgentStore

_MOST = 2_000


class VersionCache:
    """Reads versions through to the store."""

    def __init__(self, agents: AgentStore) -> None:
        self._agents = agents
        self._known: dict[tuple[str, int], AgentVersion] = {}

    async def get(self, key: str, number: int) -> AgentVersion | None:
        """Return a version, or None when it does not exist."""
        known = self._known.get((key, number))
        if known is not None:
            return known
        version = await self._agents.version(key, number)
        if version is not None:
            if len(self._known) >= _MOST:
                self._known.pop(next(iter(self._known)))
            self._known[(key, number)] = version
        return version
