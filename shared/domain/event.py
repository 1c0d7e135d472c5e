"""An event as it is accepted: the record that is stored, and the headers under which it travels."""

from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from contracts.envelope import Event

ACCEPTED_HEADER = "Towpath-Accepted"
"""Set when the event is stored already: `once` by the gateway, `again` by the sweep."""
REPLY_HEADER = "Towpath-Gated-To"
"""The gateway process that waits for the decisions."""


class AcceptedEvent(NamedTuple):
    """An event as stored: `json` is the CloudEvent exactly as it is published.

    `position` is its place among the events that were accepted together, at the same time.
    """

    key: str
    id: str
    type: str
    organisation: str
    project: str | None
    user: str | None
    content_hash: str
    json: str
    accepted_at: datetime
    position: int = 0


def accepted_event(
    event: Event, json: str, now: datetime, position: int = 0, written: bytes | None = None
) -> AcceptedEvent:
    """Return the record of an event; `json` is the event as `Event.to_json` or its publisher wrote it.

    `written` is what `Event.to_json` returned, if the caller has it.
    """
    return AcceptedEvent(
        key=event.key,
        id=event.id,
        type=event.type,
        organisation=event.organisationid,
        project=event.projectid,
        user=event.userid,
        content_hash=blake2b(written or event.to_json(), digest_size=16).hexdigest(),
        json=json,
        accepted_at=now,
        position=position,
    )
