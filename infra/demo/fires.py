"""The fires of schedules: events that nobody sends, so their records say that they happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.envelope import Event
from contracts.registry import parse_json
from shared.settings import ServiceSettings
from shared.store.events import EventStore
from shared.store.mongo import Mongo

MOST = 1_000
FIRED = "schedule.fired"


@dataclass(frozen=True, slots=True)
class Fire:
    """One fire; `decisions` are missing until the gate has answered."""

    event: Event
    decisions: list[dict[str, Any]] | None


class Fires:
    """Reads the fires of these organisations since a moment."""

    def __init__(self, settings: ServiceSettings, organisations: Sequence[str], since: datetime) -> None:
        self._mongo = Mongo(settings)
        self._events = EventStore(self._mongo.database)
        self._query = {
            "organisation": {"$in": list(organisations)},
            "type": FIRED,
            "accepted_at": {"$gte": since},
        }

    async def all(self) -> list[Fire]:
        """Return the fires so far, oldest first."""
        recorded = await self._events.recent(self._query, MOST)
        return [Fire(parse_json(each["json"].encode()), each.get("decisions")) for each in reversed(recorded)]

    def close(self) -> None:
        """Disconnect."""
        self._mongo.close()
