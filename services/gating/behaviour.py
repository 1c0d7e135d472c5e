"""What people do, as the gate takes it into account: who is active, what is counted, what a fire looks for."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Event
from services.gating.absence import looking_fires, without_seen
from services.gating.counting import CountedMessage, counted_messages, full_rows, with_places
from services.gating.idleness import active_users, activity_shown
from services.gating.overlap import Decided
from shared.domain.configuration import Configuration
from shared.domain.counting import Subject, Tally
from shared.messaging.publisher import Publisher
from shared.own_events import accept_own
from shared.store.events import EventStore
from shared.store.idleness import IdlenessStore
from shared.store.message_counts import MessageCountStore
from shared.store.sightings import SightingStore


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Asks and writes only for events that concern an Agent with such a trigger.

    Everything is done before the decisions are recorded, and once more when the events are delivered again without:
    then it changes nothing.
    """

    idleness: IdlenessStore
    counts: MessageCountStore
    sightings: SightingStore
    events: EventStore
    publisher: Publisher

    async def considered(
        self, events: Sequence[Event], decided: Decided, configuration: Configuration, now: datetime
    ) -> Decided:
        """Note what these new events show of their users, and return the decisions on them with what it comes to."""
        _, looked, counted = await asyncio.gather(
            self._note(events, configuration, now),
            self._looked(events, decided, configuration),
            self._counted(events, decided, configuration, now),
        )
        return decided | looked | counted

    async def _note(self, events: Sequence[Event], configuration: Configuration, now: datetime) -> None:
        shown = activity_shown(events, configuration)
        if shown:
            accepted_at = await self.events.accepted_at(event.key for event in shown)
            await self.idleness.note(active_users(shown, accepted_at, configuration, now))

    async def _looked(self, events: Sequence[Event], decided: Decided, configuration: Configuration) -> Decided:
        fires = looking_fires(events, decided, configuration)
        if not fires:
            return {}
        latest = await self.sightings.latest({fire.sought for fire in fires}, min(fire.since for fire in fires))
        return without_seen(fires, latest)

    async def _counted(
        self, events: Sequence[Event], decided: Decided, configuration: Configuration, now: datetime
    ) -> Decided:
        messages = counted_messages(events, decided, configuration)
        if not messages:
            return {}
        tallies = await self._tallies(messages, now)
        await accept_own(self.events, self.publisher, full_rows(messages, tallies), now)
        return with_places(decided, messages, tallies)

    async def _tallies(self, messages: Sequence[CountedMessage], now: datetime) -> Mapping[Subject, Tally]:
        keys: dict[Subject, list[str]] = {}
        rows: dict[Subject, int] = {}
        for message in messages:
            keys.setdefault(message.subject, []).append(message.event.key)
            rows[message.subject] = message.trigger.count
        counting = (self.counts.count(subject, keys[subject], rows[subject], now) for subject in keys)
        return dict(zip(keys, await asyncio.gather(*counting), strict=True))
