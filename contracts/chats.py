"""What happens in chats."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Text, Title


class Role(StrEnum):
    """Who speaks in a message."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Message(EventData):
    """One message of a turn."""

    role: Role
    text: Text


class ChatTurnStartedData(EventData):
    """The turn that now holds the session; nobody else may write into the session until it has completed."""

    session_id: Identifier
    turn_id: Identifier
    model: Title | None = None


class ChatTurnCompletedData(EventData):
    """What was said in the turn, oldest first; `model` answered."""

    session_id: Identifier
    turn_id: Identifier
    messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=500)]
    model: Title | None = None


class ChatTurnStarted(Event):
    """A turn of a chat began."""

    type: Literal["chat.turn_started"] = "chat.turn_started"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: ChatTurnStartedData


class ChatTurnCompleted(Event):
    """A turn of a chat ended."""

    type: Literal["chat.turn_completed"] = "chat.turn_completed"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: ChatTurnCompletedData
