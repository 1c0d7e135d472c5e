"""What happens to sessions, the chats of a product in which Agents may continue."""

from typing import Literal

from contracts.envelope import Event, EventData, Identifier


class SessionDeletedData(EventData):
    """The session whose messages are gone; its id is not used again."""

    session_id: Identifier


class SessionDeleted(Event):
    """A session was deleted; what was to continue it has nothing to do any more."""

    type: Literal["session.deleted"] = "session.deleted"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: SessionDeletedData
