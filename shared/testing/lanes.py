"""Lanes to model providers of one process, in memory."""

from shared.clock import Clock
from shared.domain.rate import Busy, Go, LaneState, Limits, refused, reserve, returned


class MemoryLanes:
    """Keeps to the same rule as the lanes that runners share. Nobody else uses them, so a refusal teaches no limit."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._lanes: dict[str, LaneState] = {}

    async def reserve(self, name: str, tokens: int, patience_seconds: float) -> Go | Busy:
        """Take the room for a call of about so many tokens, or say for how long there is none."""
        state, verdict = reserve(self._lane(name), self._limits, tokens, self._clock(), patience_seconds)
        self._lanes[name] = state
        return verdict

    def give_back(self, name: str, tokens: int) -> None:
        """Return tokens that were reserved and not used, negative for more than that."""
        self._lanes[name] = returned(self._lane(name), tokens)

    async def refuse(self, name: str, asked_seconds: float | None) -> None:
        """Close the lane because the provider refused a call."""
        self._lanes[name] = refused(self._lane(name), self._limits, self._clock(), asked_seconds, 0.0)

    def _lane(self, name: str) -> LaneState:
        return self._lanes.get(name) or LaneState(self._clock())
