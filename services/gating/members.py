"""Reads memberships from events: they say whom a schedule serves."""

from collections.abc import Iterable
from datetime import datetime

from contracts.envelope import Event
from contracts.members import MemberJoined, MemberLeft
from shared.store.members import Member, MembershipChange


def membership_changes(events: Iterable[Event], now: datetime) -> list[MembershipChange]:
    """Return what the events say about members of projects, oldest first."""
    changes = [change for event in events if (change := _change(event, now)) is not None]
    return sorted(changes, key=lambda change: change.at)


def _change(event: Event, now: datetime) -> MembershipChange | None:
    if event.projectid is None or event.userid is None:
        return None
    at = event.time or now
    match event:
        case MemberJoined():
            member = Member(event.organisationid, event.projectid, event.userid, event.data.timezone)
            return MembershipChange(member, is_member=True, at=at)
        case MemberLeft():
            return MembershipChange(Member(event.organisationid, event.projectid, event.userid), is_member=False, at=at)
        case _:
            return None
