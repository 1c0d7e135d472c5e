"""Events of a made-up product."""

import uuid
from typing import Any

Document = dict[str, Any]

SOURCE = "/backend/tests"
PROJECT = "apollo"
USER = "ada"
DAY = "2026-11-20"


def event(type: str, organisation: str, data: Document, **attributes: str) -> Document:
    """Return an event with a new id; attributes given replace any."""
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": SOURCE,
        "type": type,
        "organisationid": organisation,
        "projectid": PROJECT,
        "userid": USER,
        "data": data,
        **attributes,
    }


def checkin(organisation: str, text: str = "I prefer reviews before lunch.", **attributes: str) -> Document:
    """Return a check-in; the default text is worth one memory diff for the user."""
    return event("checkin.submitted", organisation, {"date": DAY, "text": text}, **attributes)


def checkins(organisation: str, count: int, mark: str) -> list[Document]:
    """Return check-ins of several users, each worth one memory diff; `mark` is in every text."""
    return [
        checkin(organisation, f"I prefer meetings about {mark} in room {number}.", userid=f"user-{number % 20}")
        for number in range(count)
    ]


def member_joined(organisation: str, user: str = USER, project: str = PROJECT) -> Document:
    """Return the event that makes a user a member of a project."""
    return event("member.joined", organisation, {"timezone": "UTC"}, userid=user, projectid=project)
