"""So many messages of a user have been counted; only Towpath itself publishes this."""

from typing import Literal

from contracts.behaviour import Per
from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Number


class MessagesCountedData(EventData):
    """The last message of a row of `count`, counted for one Agent.

    `total` is how many were counted in all, this one included. `last_event` is its id and `event_type` its type;
    `session_id` is missing when it was counted for the user.
    """

    agent_key: Identifier
    per: Per
    session_id: Identifier | None = None
    count: Number
    total: Number
    event_type: Identifier
    last_event: Identifier


class MessagesCounted(Event):
    """As many messages of the user that the envelope names were counted as an Agent waits for."""

    type: Literal["messages.counted"] = "messages.counted"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: MessagesCountedData
