"""`towpath jobs` and `towpath sessions`: what they ask for, and what they print."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.services.cli.test_commands import Desk

JOB: dict[str, Any] = {
    "job_id": "build/17",
    "key": "job_1",
    "organisation": "acme",
    "project": None,
    "user": "ada",
    "session_id": "chat-1",
    "kind": "build",
    "command": "make",
    "agent_key": None,
    "status": "failed",
    "exit_code": 2,
    "started_at": "2026-11-20T09:00:00Z",
    "finished_at": "2026-11-20T09:10:00Z",
    "deadline_at": None,
    "heartbeat_seconds": None,
    "heartbeat_at": "2026-11-20T09:00:00Z",
    "follow_up": {"status": "handled", "run_id": None, "code": "disabled", "followed_up_at": "2026-11-20T09:10:01Z"},
    "output": "lintRelease failed",
    "late_end": {"status": "completed", "exit_code": 0, "output": "", "at": "2026-11-20T09:20:00Z"},
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_jobs_are_listed_with_their_follow_ups(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"jobs": [JOB], "next_cursor": "more"})

    assert desk.towpath("jobs", "list", "--status", "failed", "--status", "died", "--session", "chat-1") == 0

    assert desk.asked[0].url.params.get_list("status") == ["failed", "died"]
    _, row, *_, more = capsys.readouterr().out.splitlines()
    assert row.split()[:5] == ["build/17", "failed", "handled", "chat-1", "ada"]
    assert "--cursor more" in more


def test_a_job_is_shown_with_what_became_of_its_end(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(JOB)

    assert desk.towpath("jobs", "show", "build/17") == 0

    assert desk.asked[0].url.raw_path == b"/api/jobs/build%2F17"
    shown = capsys.readouterr().out
    assert "handled (disabled)" in shown
    assert "not followed" in shown
    assert shown.rstrip().endswith("lintRelease failed")


def test_a_job_is_started_and_ended_with_what_was_said_and_no_more(desk: Desk, tmp_path: Path) -> None:
    desk.tell(JOB, JOB)
    (tmp_path / "log").write_text("lint")

    assert desk.towpath("jobs", "start", "--session", "chat-1", "--kind", "build", "--timeout", "60") == 0
    assert desk.towpath("jobs", "finish", "job_1", "--exit-code", "0", "--output", str(tmp_path / "log")) == 0

    assert desk.bodies() == [
        {"session_id": "chat-1", "kind": "build", "timeout_seconds": 60},
        {"exit_code": 0, "output": "lint"},
    ]
    assert desk.asked[1].url.path == "/api/jobs/job_1/finish"


def test_a_worker_learns_that_its_job_counts_as_ended(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(lambda _: httpx2.Response(409, json={"code": "job_ended", "detail": "It has ended: timed_out."}), JOB)

    assert desk.towpath("jobs", "heartbeat", "build-17", "build-18") == 1

    assert "It has ended: timed_out." in capsys.readouterr().err


def test_a_session_is_shown_message_by_message(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    message = {"position": 4, "role": "assistant", "text": "It is built.", "at": "2026-11-20T09:11:00Z",
               "turn_id": None, "run_id": "run_1", "metadata": {"job_id": "build-17"}}  # fmt: skip
    turn = {"id": "turn-9", "since": "2026-11-20T09:12:00Z", "until": "2026-11-20T09:27:00Z"}
    desk.tell(
        {
            "session_id": "chat-1",
            "project": None,
            "user": "ada",
            "length": 6,
            "changed_at": "2026-11-20T09:12:00Z",
            "open_turn": turn,
            "messages": [message],
            "next_cursor": "4",
        }
    )

    assert desk.towpath("sessions", "show", "chat-1", "--after", "3") == 0

    assert desk.asked[0].url.params["cursor"] == "3"
    shown = capsys.readouterr().out
    assert "turn-9 since 2026-11-20 09:12:00, until 2026-11-20 09:27:00" in shown
    assert "4 assistant, 2026-11-20 09:11:00, because of job build-17\nIt is built." in shown
    assert "--after 4" in shown


def test_a_session_is_deleted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"session_id": "chat-1", "deleted_at": "2026-11-20T09:11:00Z"})

    assert desk.towpath("sessions", "delete", "chat-1") == 0

    assert (desk.asked[0].method, desk.asked[0].url.path) == ("DELETE", "/api/sessions/chat-1")
    assert "chat-1 is deleted." in capsys.readouterr().out
