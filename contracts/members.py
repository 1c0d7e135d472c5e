"""What happens to the members of an organisation and of its projects."""

from typing import Annotated, Literal

from pydantic import Field

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import TimeZone, Title, Word


class MemberJoinedData(EventData):
    """The member that `userid` names; the time zone decides when that person's day begins."""

    name: Title | None = None
    roles: Annotated[tuple[Word, ...], Field(max_length=50)] = ()
    timezone: TimeZone = "UTC"


class MemberLeftData(EventData):
    """Why the member left, in the product's own word."""

    reason: Word | None = None


class MemberJoined(Event):
    """A user joined the project, or the organisation when no project is named."""

    type: Literal["member.joined"] = "member.joined"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: MemberJoinedData


class MemberLeft(Event):
    """A user left the project, or the organisation when no project is named."""

    type: Literal["member.left"] = "member.left"
    dataversion: Literal["1"] = "1"
    userid: Identifier
    data: MemberLeftData
