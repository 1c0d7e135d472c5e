"""`towpath inbox`: what it asks, and what it prints."""

import json
from typing import Any

import pytest

from tests.unit.services.cli.test_commands import Desk, desk

__all__ = ["desk"]

PROPOSAL: dict[str, Any] = {
    "id": "prp_1",
    "kind": "epic",
    "confidence": "high",
    "agent_key": "planner",
    "created_at": "2026-11-20T09:00:00Z",
    "title": "Add an epic: Reports",
}
COUNTS = [
    {"agent_key": "noter", "kind": "memory_diff", "count": 40},
    {"agent_key": "planner", "kind": "epic", "count": 2},
]


def test_counts_stand_above_what_is_listed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"proposals": [PROPOSAL], "total": 42, "counts": COUNTS, "next_cursor": "more"})

    assert desk.towpath("inbox", "--kind", "epic", "--confidence", "high", "--project", "apollo", "-n", "1") == 0

    assert desk.asked[0].url.path == "/api/inbox"
    wanted = {"kind": "epic", "confidence": "high", "project": "apollo", "all_users": "false", "limit": "1"}
    assert dict(desk.asked[0].url.params) == wanted
    _, first, second, whole, _, _, row, _, more = capsys.readouterr().out.splitlines()
    assert (first.split(), second.split()) == (["40", "memory_diff", "noter"], ["2", "epic", "planner"])
    assert whole.split() == ["42", "all"]
    assert row.split()[:6] == ["prp_1", "epic", "high", "planner", "2026-11-20", "09:00:00"]
    assert row.endswith("Add an epic: Reports")
    assert more == "There are more: add --cursor more"


def test_an_empty_inbox_says_so(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"proposals": [], "total": 0, "counts": [], "next_cursor": None})

    assert desk.towpath("inbox") == 0

    assert capsys.readouterr().out == "Nothing waits for a decision.\n"


def test_for_programs_the_answer_is_printed_as_it_came(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"proposals": [PROPOSAL], "total": 42, "counts": COUNTS, "next_cursor": None}
    desk.tell(answer)

    assert desk.towpath("inbox", "--json") == 0

    assert json.loads(capsys.readouterr().out) == answer


def test_a_kind_that_there_is_not_is_refused_before_anything_is_asked(desk: Desk) -> None:
    assert desk.towpath("inbox", "--kind", "wish") == 2
    assert desk.asked == []
