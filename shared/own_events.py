"""How Towpath's own events begin: stored first, then published, like those that the gateway accepts."""

from collections.abc import Sequence
from datetime import datetime

from contracts.envelope import Event
from shared.domain.event import ACCEPTED_HEADER, accepted_event
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore


async def accept_own(store: EventStore, publisher: Publisher, events: Sequence[Event], now: datetime) -> None:
    """Accept events that Towpath makes itself; one that was accepted before changes nothing."""
    if not events:
        return
    bodies = [event.to_json() for event in events]
    await store.accept([accepted_event(event, body.decode(), now) for event, body in zip(events, bodies, strict=True)])
    for event, body in zip(events, bodies, strict=True):
        await publisher.event(event.type, event.organisationid, body, {ACCEPTED_HEADER: "once"})
