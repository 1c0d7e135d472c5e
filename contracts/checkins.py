"""What happens to check-ins."""

from typing import Literal

from contracts.envelope import Event, EventData, Identifier
from contracts.fields import Answer, Day, Text, Title


class CheckinSubmittedData(EventData):
    """The answers of one person for one day; `session_id` is the chat that shows the coaching."""

    date: Day
    mood: Title | None = None
    yesterday: Answer = ""
    today: Answer = ""
    blockers: Answer = ""
    text: Text = ""
    session_id: Identifier | None = None


class CheckinSubmitted(Event):
    """A user submitted the check-in of a project."""

    type: Literal["checkin.submitted"] = "checkin.submitted"
    dataversion: Literal["1"] = "1"
    projectid: Identifier
    userid: Identifier
    data: CheckinSubmittedData
