"""Many publishers that repeat themselves while the gate is behind, on a real MongoDB."""

import asyncio
from collections.abc import Iterable
from typing import Any

from services.gateway.gate_answers import GateAnswers
from services.gateway.intake import Readable, Reading
from services.gateway.publish import Publishing
from shared.domain.event import accepted_event
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from tests.unit.shared.given import NOW, an_event

PUBLISHERS = 200
WAIT_SECONDS = 0.3


class CountingStore(EventStore):
    """Counts how often it is asked for decisions."""

    asked = 0

    async def decisions(self, keys: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        self.asked += 1
        return await super().decisions(keys)


def _reading(number: int) -> Reading:
    event = an_event(id=f"event-{number}")
    return Reading([Readable(0, accepted_event(event, event.to_json().decode(), NOW))], [])


async def test_they_ask_the_database_together(mongo: Mongo) -> None:
    store = CountingStore(mongo.database)
    publishing = Publishing(store, Publisher(), GateAnswers(), "gateway-1", WAIT_SECONDS)
    readings = [_reading(number) for number in range(PUBLISHERS)]
    await asyncio.gather(*(publishing.publish(reading) for reading in readings))

    repeated = await asyncio.gather(*(publishing.publish(reading) for reading in readings))

    assert [len(published.accepted) for published in repeated] == [1] * PUBLISHERS
    assert {len(published.decisions) for published in repeated} == {0}
    assert store.asked < PUBLISHERS / 2
