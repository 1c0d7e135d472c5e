"""Many publishers that repeat themselves while the gate is behind, on a real MongoDB."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from services.gateway.gate_answers import GateAnswers
from services.gateway.intake import Readable, Reading
from services.gateway.publish import Publishing
from shared.domain.event import ACCEPTED_HEADER, REPLY_HEADER, accepted_event
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


class ToldPublisher(Publisher):
    """Keeps the headers of what is published."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: list[dict[str, str]] = []

    async def event(self, type: str, organisation: str, json: bytes, headers: dict[str, str]) -> bool:
        self.headers.append(headers)
        return True


@pytest.mark.parametrize(("seconds", "wants_answers"), [(0, False), (0.001, True)])
async def test_the_gate_is_asked_for_answers_only_where_somebody_waits_for_them(
    mongo: Mongo, seconds: float, wants_answers: bool
) -> None:
    publisher = ToldPublisher()
    publishing = Publishing(EventStore(mongo.database), publisher, GateAnswers(), "gateway-1", seconds)

    published = await publishing.publish(_reading(1))

    assert ([each.index for each in published.accepted], published.decisions) == ([0], {})
    (headers,) = publisher.headers
    assert headers[ACCEPTED_HEADER] == "once"
    assert (headers.get(REPLY_HEADER) == "gateway-1") is wants_answers


async def test_they_ask_the_database_together(mongo: Mongo) -> None:
    store = CountingStore(mongo.database)
    publishing = Publishing(store, Publisher(), GateAnswers(), "gateway-1", WAIT_SECONDS)
    readings = [_reading(number) for number in range(PUBLISHERS)]
    await asyncio.gather(*(publishing.publish(reading) for reading in readings))

    repeated = await asyncio.gather(*(publishing.publish(reading) for reading in readings))

    assert [len(published.accepted) for published in repeated] == [1] * PUBLISHERS
    assert {len(published.decisions) for published in repeated} == {0}
    assert store.asked < PUBLISHERS / 2
