"""The parameters of a list of proposals, and the query that they make."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.gateway import cursor as cursors
from services.gateway.auth import Caller
from services.gateway.problems import Forbidden
from services.gateway.proposal_filters import InboxFilters, ProposalFilters
from shared.domain.proposal import ProposalStatus
from shared.testing.documents import matches

ADA = Caller("ada", "acme")
ADMIN = Caller("olga", "acme", frozenset({"organisation_admin"}))
AT = datetime(2026, 11, 20, tzinfo=UTC)
PROPOSAL: dict[str, Any] = {
    "_id": "prp_1",
    "organisation": "acme",
    "user": "ada",
    "project": "apollo",
    "status": "pending",
    "kind": "memory_diff",
    "agent_key": "noter",
    "confidence": "high",
    "run_id": "run_1",
    "created_at": AT,
    "ticket_ids": [],
    "change": {"block_label": "goals", "field": "year"},
}


def test_an_inbox_holds_what_is_pending_and_a_list_everything() -> None:
    assert InboxFilters().query(ADA)["status"] == {"$in": ["pending"]}
    assert ProposalFilters().query(ADA)["status"] == {"$in": sorted(ProposalStatus)}


@pytest.mark.parametrize(
    ("name", "same", "other"),
    [
        ("kind", "memory_diff", "epic"),
        ("agent_key", "noter", "planner"),
        ("project", "apollo", "gemini"),
        ("confidence", "high", "low"),
        ("run_id", "run_1", "run_2"),
        ("status", "pending", "approved"),
    ],
)
def test_each_parameter_narrows_the_list(name: str, same: str, other: str) -> None:
    assert matches(PROPOSAL, ProposalFilters(**{name: same}).query(ADA))
    assert not matches(PROPOSAL, ProposalFilters(**{name: other}).query(ADA))


def test_what_a_change_is_about_narrows_the_list() -> None:
    filters = ProposalFilters(ticket_id="APO-1", block_label="goals", field="year")

    query = filters.query(ADA)

    assert {name: query[name] for name in ("ticket_ids", "change.block_label", "change.field")} == {
        "ticket_ids": "APO-1",
        "change.block_label": "goals",
        "change.field": "year",
    }


def test_nobody_sees_those_of_others_but_admins_of_the_same_organisation() -> None:
    for filters in (InboxFilters(user="ben"), InboxFilters(all_users=True)):
        with pytest.raises(Forbidden):
            filters.query(ADA)
        with pytest.raises(Forbidden):
            filters.query_of_all(ADA)
        assert filters.query(ADMIN)["organisation"] == "acme"


def test_counts_are_of_the_project_however_else_the_page_is_narrowed() -> None:
    filters = InboxFilters(project="apollo", kind="epic", agent_key="noter", cursor=cursors.encode(AT, "prp_2"))

    assert filters.query_of_all(ADA) == {
        "organisation": "acme",
        "user": "ada",
        "status": {"$in": ["pending"]},
        "project": "apollo",
    }


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"limit": 201}, {"kind": "wish"}, {"status": "open"}])
def test_a_value_that_there_is_not_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InboxFilters(**wrong)
