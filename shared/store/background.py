"""Whether periodic work is on, as the leading scheduler has it: one note for all who are asked about schedules."""

from dataclasses import dataclass
from datetime import datetime

from shared.store.health import HealthStore
from shared.store.mongo import Database

_SUBJECT = "background"


@dataclass(frozen=True, slots=True)
class Background:
    """What `operating_background_enabled` is at the scheduler that led last, and when it was last heard."""

    is_enabled: bool
    noted_at: datetime


class BackgroundStore:
    """A document of the `health` collection."""

    def __init__(self, database: Database) -> None:
        self._health = HealthStore(database)

    async def note(self, background: Background) -> None:
        """Replace what was noted before."""
        await self._health.report(_SUBJECT, {"enabled": background.is_enabled, "at": background.noted_at})

    async def read(self) -> Background | None:
        """Return what was noted last; None when no scheduler has ever led."""
        noted = await self._health.read(_SUBJECT)
        return None if noted is None else Background(noted["enabled"], noted["at"])
