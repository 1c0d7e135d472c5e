"""`towpath replays`: what the commands ask the gateway, and what they print."""

import json
from typing import Any

import pytest

from tests.unit.services.cli.test_commands import Desk, desk

__all__ = ["desk"]

Document = dict[str, Any]

REPLAY: Document = {
    "id": "rpl_1",
    "agent_key": "noter",
    "agent_version": None,
    "draft": True,
    "request_id": "request-1",
    "requested_by": "olga",
    "created_at": "2026-11-20T09:00:00Z",
    "status": "running",
    "progress": {"total": 3, "queued": 1, "running": 0, "completed": 1, "failed": 1, "cancelled": 0, "gone": 0},
    "cancel": None,
}
FIGURES: Document = {
    "runs": 2,
    "completed": 2,
    "failed": 0,
    "input_tokens": 1200,
    "output_tokens": 300,
    "model_calls": 2,
    "median_latency_seconds": 1.25,
    "proposals": 4,
    "approved": 2,
    "rejected": 1,
    "acceptance_rate": 2 / 3,
}
PAIR: Document = {
    "original_run_id": "run_1",
    "run_id": "run_2",
    "result": "different",
    "changes": [{"field": "summary", "old": "well", "new": "better"}],
    "fresh_reads": 1,
    "old": None,
    "new": None,
}
TOTALS = {
    "results": {"different": 1, "open": 1},
    "fresh_reads": 1,
    "old": FIGURES,
    "new": FIGURES | {"input_tokens": 900, "acceptance_rate": None},
}
REPORT = REPLAY | {"totals": TOTALS, "versions": [], "pairs": [PAIR], "skip": 0, "limit": 50}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (
            ("--draft", "--latest", "5", "--of-version", "2"),
            {"version": None, "draft": True, "runs": {"latest": 5, "version": 2}},
        ),
        (
            ("--version", "3", "--run", "run_1", "--run", "run_2"),
            {"version": 3, "draft": False, "runs": {"ids": ["run_1", "run_2"]}},
        ),
    ],
)
def test_a_replay_is_started_on_the_runs_that_are_meant(
    desk: Desk, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], wanted: Document
) -> None:
    desk.tell(REPLAY)

    assert desk.towpath("replays", "start", "noter", *options, "--request-id", "request-1") == 0

    (request,) = desk.asked
    assert (request.method, request.url.path) == ("POST", "/api/agents/noter/replays")
    assert json.loads(request.content) == wanted | {"request_id": "request-1"}
    assert "rpl_1 replays 3 runs on the draft" in capsys.readouterr().out


@pytest.mark.parametrize("options", [(), ("--draft", "--version", "1"), ("--draft", "--run", "r", "--of-version", "1")])
def test_a_start_that_says_too_little_or_too_much_is_not_sent(desk: Desk, options: tuple[str, ...]) -> None:
    assert desk.towpath("replays", "start", "noter", *options) == 2
    assert desk.asked == []


def test_replays_are_listed_with_how_far_they_are(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"replays": [REPLAY], "next_cursor": "next"})

    assert desk.towpath("replays", "list", "noter") == 0

    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split()[:7] == ["rpl_1", "running", "the", "draft", "2", "of", "3"]
    assert "--cursor next" in printed


def test_a_replay_is_shown_beside_its_originals(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(REPORT)

    assert desk.towpath("replays", "show", "noter", "rpl_1") == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["input", "tokens", "1200", "900"] in lines
    assert ["acceptance", "rate", "0.67", "-"] in lines
    assert ["median", "latency", "(s)", "1.25", "1.25"] in lines
    assert ["run_1", "run_2", "different", "1"] in lines
    assert ["summary", "well", "better"] in lines


def test_a_replay_is_cancelled_with_the_reason(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(REPLAY | {"status": "cancelled"})

    assert desk.towpath("replays", "cancel", "noter", "rpl_1", "--reason", "Enough") == 0

    (request,) = desk.asked
    assert request.url.path == "/api/agents/noter/replays/rpl_1/cancel"
    assert json.loads(request.content) == {"reason": "Enough"}
    assert "rpl_1 is cancelled; 2 of 3 runs have ended." in capsys.readouterr().out
