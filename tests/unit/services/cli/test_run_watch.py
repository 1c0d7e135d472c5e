"""`towpath runs watch, retry` and `towpath proposals`: what they ask, print, and end with."""

import json
from typing import Any

import httpx2
import pytest

from services.cli.connection import Connection
from services.cli.gateway import Gateway
from services.cli.run_watch import follow
from tests.unit.services.cli.test_commands import LETTER, RUN, Answer, Desk, desk, problem

__all__ = ["desk"]

Document = dict[str, Any]

PROPOSAL: Document = {
    "id": "prp_1",
    "kind": "memory_diff",
    "title": "Remember in user preferences.writing",
    "status": "pending",
    "agent_key": "noter",
    "agent_version": 2,
    "run_id": "run_1",
    "project": None,
    "user": "ada",
    "reasoning": "She said so.",
    "confidence": "high",
    "created_at": "2026-11-20T09:00:00Z",
    "decided_at": None,
    "decided_by": None,
    "decision_reason": None,
    "block_label": "preferences",
    "field": "writing",
    "operation": "append",
    "current_value": "",
    "proposed_value": "Prefers short updates.",
}


def run(status: str, id: str = "run_1") -> Answer:
    """Return an answer with this run, and a tag that stands for its status."""
    content = RUN | {"id": id, "status": status, "waiting_for": None, "error": None}
    return lambda _: httpx2.Response(200, json=content, headers={"ETag": f'"{status}"'})


def unchanged(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(304)


def followed(desk: Desk, *ids: str) -> tuple[list[str], list[list[str]], list[float]]:
    """Return how the runs ended, what was shown meanwhile, and the pauses between the looks."""
    gateway = Gateway(Connection("http://gateway", "token"), httpx2.MockTransport(desk))
    shown, pauses = list[list[str]](), list[float]()
    runs = follow(gateway, ids, lambda seen: shown.append([each["status"] for each in seen]), pauses.append)
    return [each["status"] for each in runs], shown, pauses


def test_a_run_is_followed_until_it_has_ended_and_asked_less_often_while_nothing_changes(desk: Desk) -> None:
    desk.tell(run("queued"), unchanged, unchanged, unchanged, unchanged, run("running"), run("completed"))

    ended, shown, pauses = followed(desk, "run_1")

    assert ended == ["completed"]
    assert shown == [["queued"], ["running"], ["completed"]]
    assert pauses == [0.25, 0.5, 1.0, 2.0, 2.0, 0.25]
    assert [request.headers.get("if-none-match") for request in desk.asked[:3]] == [None, '"queued"', '"queued"']


def test_what_has_ended_is_not_asked_again(desk: Desk) -> None:
    desk.tell(run("failed", "run_1"), run("running", "run_2"), run("completed", "run_2"))

    ended, _, _ = followed(desk, "run_1", "run_2", "run_1")

    assert ended == ["failed", "completed"]
    paths = [request.url.path.rpartition("/")[2] for request in desk.asked]
    assert paths == ["run_1", "run_2", "run_2"]


@pytest.mark.parametrize(("status", "exit_code"), [("completed", 0), ("failed", 1), ("cancelled", 1)])
def test_all_active_runs_are_watched_and_their_end_is_the_exit_code(
    desk: Desk, capsys: pytest.CaptureFixture[str], status: str, exit_code: int
) -> None:
    desk.tell({"agent_runs": [{"id": "run_1"}]}, run(status))

    assert desk.towpath("runs", "watch", "--agent", "noter") == exit_code

    assert desk.asked[0].url.params.get_list("status") == ["queued", "running"]
    assert desk.asked[0].url.params["agent_key"] == "noter"
    assert f"run_1 is {status}.\n" in capsys.readouterr().out


def test_without_an_active_run_there_is_nothing_to_watch(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"agent_runs": []})

    assert desk.towpath("runs", "watch") == 0
    assert capsys.readouterr().out == "None is active.\n"


def test_for_programs_only_the_ends_are_printed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(run("completed"))

    assert desk.towpath("runs", "watch", "run_1", "--json") == 0
    assert [each["status"] for each in json.loads(capsys.readouterr().out)["agent_runs"]] == ["completed"]


def test_a_watch_gives_up_when_its_time_is_up(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(run("queued"))

    assert desk.towpath("runs", "watch", "run_1", "--timeout", "0") == 1
    assert "towpath runs explain" in capsys.readouterr().err


def test_ids_and_filters_are_not_both_meant(desk: Desk) -> None:
    assert desk.towpath("runs", "watch", "run_1", "--all-users") == 2
    assert desk.asked == []


def test_a_run_that_failed_is_tried_again(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(LETTER | {"status": "redriven"}, problem(404, "not_found", "There is no such dead letter."))

    assert desk.towpath("runs", "retry", "run_1", "run_2") == 1

    paths = [request.url.path for request in desk.asked]
    assert paths == ["/api/dead-letters/run_1/redrive", "/api/dead-letters/run_2/redrive"]
    assert capsys.readouterr().out == "run_1 is redriven.\n"


def test_proposals_are_listed_and_their_ids_alone_for_other_commands(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = {"proposals": [PROPOSAL, PROPOSAL | {"id": "prp_2"}], "next_cursor": None}
    desk.tell(answer, answer)

    assert desk.towpath("proposals", "list", "--status", "pending", "--run", "run_1") == 0
    table = capsys.readouterr().out
    assert desk.towpath("proposals", "list", "--ids") == 0

    asked = dict(desk.asked[0].url.params)
    assert asked == {"status": "pending", "run_id": "run_1", "all_users": "false", "limit": "50"}
    assert "Remember in user preferences.writing" in table
    assert capsys.readouterr().out == "prp_1\nprp_2\n"


@pytest.mark.parametrize(
    ("change", "told"),
    [({}, "Prefers short updates."), ({"change": {"action": "open"}, "decided_by": "olga"}, '"action": "open"')],
)
def test_a_proposal_is_shown_with_what_it_asks_for(
    desk: Desk, capsys: pytest.CaptureFixture[str], change: Document, told: str
) -> None:
    decided = {"decided_at": "2026-11-20T10:00:00Z"} if "decided_by" in change else {}
    desk.tell(PROPOSAL | change | decided)

    assert desk.towpath("proposals", "show", "prp_1") == 0
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(("action", "status"), [("approve", "approved"), ("reject", "rejected")])
def test_proposals_are_decided_one_by_one(
    desk: Desk, capsys: pytest.CaptureFixture[str], action: str, status: str
) -> None:
    desk.tell(PROPOSAL | {"status": status}, problem(409, "proposal_decided", "It is decided."))

    assert desk.towpath("proposals", action, "prp_1", "prp_2", "--reason", "Because.") == 1

    assert [request.url.path for request in desk.asked] == [f"/api/proposals/prp_{n}/{action}" for n in (1, 2)]
    assert desk.bodies()[0] == {"reason": "Because."}
    printed = capsys.readouterr()
    assert (printed.out, "prp_2: It is decided." in printed.err) == (f"prp_1 is {status}.\n", True)


def test_one_proposal_is_approved_with_a_text_of_ones_own_and_undone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    approved = PROPOSAL | {"status": "approved", "rebased": True, "rebased_from": 2}
    desk.tell(approved, approved | {"rebased": False, "undone_version": 4})

    assert desk.towpath("proposals", "approve", "prp_1", "--value", "No meetings.", "--base", "3") == 0
    assert desk.towpath("proposals", "undo", "prp_1") == 0
    assert desk.towpath("proposals", "approve", "prp_1", "prp_2", "--value", "No meetings.") == 2

    assert desk.bodies() == [{"proposed_value": "No meetings.", "base_version": 3}, {}]
    assert desk.asked[1].url.path == "/api/proposals/prp_1/undo"
    assert capsys.readouterr().out == (
        "prp_1 is approved, rebased from version 2.\nprp_1 is approved, undone by version 4.\n"
    )
