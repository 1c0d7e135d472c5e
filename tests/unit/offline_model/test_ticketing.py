"""Proposals for tickets."""

from typing import Any

from infra.offline_model.findings import read
from infra.offline_model.ticketing import ticket_changes
from tests.unit.offline_model.inputs import CHECKIN, rendered


def changes(data: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(each["action"], each["ticket_id"]) for each in ticket_changes(read(rendered(data)))]


def test_check_in_closes_updates_and_opens_tickets() -> None:
    assert changes(CHECKIN) == [("close", "APO-11"), ("update", "APO-12"), ("open", None)]


def test_ticket_that_is_not_done_stays_open() -> None:
    assert changes({"today": "APO-12 is not done."}) == [("update", "APO-12")]


def test_last_word_about_a_ticket_counts() -> None:
    assert changes({"yesterday": "Started APO-1.", "text": "APO-1 is fixed."}) == [("close", "APO-1")]


def test_blocked_ticket_is_updated_and_no_other_is_opened() -> None:
    assert changes({"blockers": "APO-3 is blocked until it is merged."}) == [("update", "APO-3")]


def test_request_opens_a_ticket_titled_by_its_subject() -> None:
    (change,) = ticket_changes(read(rendered({"text": "We need a ticket for the migration guide."})))

    assert (change["action"], change["title"]) == ("open", "The migration guide")


def test_titles_are_short() -> None:
    (change,) = ticket_changes(read(rendered({"blockers": "The " + "very " * 40 + "long wait."})))

    assert len(change["title"]) <= 80
