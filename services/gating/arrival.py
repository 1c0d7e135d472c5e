"""An event as it arrives at the gate, from the gateway or straight from a backend."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from nats.aio.msg import Msg

from contracts.envelope import Event
from contracts.registry import PLATFORM_TYPES, EventRefused, UnknownEventType, parse_json
from contracts.subjects import event_subject
from shared.domain.event import ACCEPTED_HEADER, REPLY_HEADER, AcceptedEvent, accepted_event
from shared.errors import Permanent
from shared.messaging.settling import deliveries


class EventUnreadable(Permanent):
    """A message is not an event that can be accepted."""

    code: ClassVar[str] = "event_unreadable"


class EventTypeUnknown(Permanent):
    """A message is an event of a type, or of a version of a type, that this deployment does not know."""

    code: ClassVar[str] = "unknown_event_type"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message, parsed. `reply_to` is the gateway process that waits for the decisions, if one does."""

    event: Event
    json: bytes
    is_accepted: bool
    is_first_delivery: bool
    reply_to: str | None

    def accepted_event(self, now: datetime, position: int = 0) -> AcceptedEvent:
        """Return the record of an event that did not come through the gateway; `position` is its place in the batch."""
        return accepted_event(self.event, self.json.decode(), now, position)


def parse_arrival(message: Msg) -> Arrival:
    """Read a message of the EVENTS stream, or raise EventUnreadable or EventTypeUnknown with the reason."""
    try:
        event = parse_json(message.data)
    except UnknownEventType as error:
        raise EventTypeUnknown(str(error)) from error
    except EventRefused as error:
        raise EventUnreadable(str(error)) from error
    if message.subject != event_subject(event.type, event.organisationid):
        raise EventUnreadable(
            f"The event says type '{event.type}' and organisation '{event.organisationid}',"
            f" but it was published on '{message.subject}'."
        )
    headers = message.headers or {}
    if event.type in PLATFORM_TYPES and ACCEPTED_HEADER not in headers:
        raise EventUnreadable(f"Only Towpath itself publishes '{event.type}'.")
    return Arrival(
        event=event,
        json=message.data,
        is_accepted=ACCEPTED_HEADER in headers,
        is_first_delivery=deliveries(message) == 1 and headers.get(ACCEPTED_HEADER) != "again",
        reply_to=headers.get(REPLY_HEADER),
    )
