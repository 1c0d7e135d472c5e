"""Tells everybody whether periodic work is on: only the scheduler is set to it."""

from dataclasses import dataclass

from services.scheduler.leader import Leader
from shared.clock import Clock
from shared.store.background import Background, BackgroundStore

_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class BackgroundNote:
    """Notes the setting of this scheduler again and again while it leads."""

    store: BackgroundStore
    leader: Leader
    clock: Clock
    is_enabled: bool

    async def run(self) -> None:
        """Note until cancelled."""
        await self.leader.keep_doing("background", self.note, _EVERY_SECONDS)

    async def note(self) -> None:
        """Note it once."""
        await self.store.note(Background(self.is_enabled, self.clock()))
