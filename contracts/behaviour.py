"""Triggers made of what people do and do not do: being idle, sending messages, an event that did not come."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from contracts.filters import MemberFilter
from contracts.targets import Part, TargetRule

_LONGEST_MINUTES = 30 * 24 * 60

EventTypeName = Annotated[str, Field(min_length=1, max_length=128)]


class IdleTrigger(Part):
    """Starts the Agent for a user who has done nothing for a while, once for each such while.

    The event is `user.idle_detected`. `activity` names the types of events that count as doing something; without any,
    all that name a user and are not Towpath's own. `idle_cooldown_minutes` is the least time between two starts for the
    same user and project. `user_filter` says whom it serves. Fractions of minutes are allowed.
    """

    idle_threshold_minutes: float = Field(default=30, ge=0.01, le=_LONGEST_MINUTES)
    idle_cooldown_minutes: float = Field(default=60, ge=0, le=_LONGEST_MINUTES)
    activity: tuple[EventTypeName, ...] = Field(default=(), max_length=50)
    user_filter: MemberFilter = "all"
    target: TargetRule


class Per(StrEnum):
    """What messages are counted for: each user of a project, or each session of such a user."""

    USER = "user"
    SESSION = "session"


class MessagesTrigger(Part):
    """Starts the Agent after every `count` events of one type, counted for each user, or for each session.

    The event is `messages.counted`. `session` needs a type whose data has a `session_id`.
    """

    count: int = Field(ge=1, le=1_000)
    per: Per = Per.USER
    event: EventTypeName = "chat.turn_completed"
    target: TargetRule


class Unless(Part):
    """Has a fire start nothing when the member has an event of this type, accepted since so long before it was due."""

    event: EventTypeName
    within_seconds: int = Field(ge=1, le=31 * 86_400)
