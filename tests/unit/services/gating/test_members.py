"""Memberships, as events tell them."""

from datetime import timedelta
from typing import Any

from services.gating.members import membership_changes
from shared.store.members import Member, MembershipChange
from tests.unit.shared.given import NOW, an_event

PLACE: dict[str, Any] = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"}
BERLIN = {"timezone": "Europe/Berlin"}


def test_joining_and_leaving_are_told_oldest_first() -> None:
    earlier, later = (NOW - timedelta(hours=hours) for hours in (2, 1))
    left = an_event("member.left", time=later.isoformat(), **PLACE)
    joined = an_event("member.joined", time=earlier.isoformat(), data=BERLIN, **PLACE)

    assert membership_changes([left, joined], NOW) == [
        MembershipChange(Member("acme", "apollo", "ada", "Europe/Berlin"), is_member=True, at=earlier),
        MembershipChange(Member("acme", "apollo", "ada"), is_member=False, at=later),
    ]


def test_an_event_without_a_time_happened_now() -> None:
    (change,) = membership_changes([an_event("member.left", time=None, **PLACE)], NOW)

    assert change.at == NOW


def test_joining_an_organisation_is_not_joining_a_project() -> None:
    assert membership_changes([an_event("member.joined", **PLACE | {"projectid": None})], NOW) == []


def test_other_events_say_nothing_about_members() -> None:
    assert membership_changes([an_event("checkin.submitted"), an_event("doc.created")], NOW) == []
