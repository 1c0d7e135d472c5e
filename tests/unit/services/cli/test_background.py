"""`towpath background`: what the commands ask the gateway, and what they print."""

from typing import Any

import pytest

from tests.unit.services.cli.test_commands import RUN, Desk, desk, problem

__all__ = ["desk"]

STATUS: dict[str, Any] = {
    "agent_id": "monitor",
    "visibility": "organisation",
    "status": "active",
    "schedule": "every 300 s",
    "next_fire_at": "2026-11-20T09:05:00Z",
    "run_count": 12,
    "error_count": 3,
    "last_run": RUN,
}


def test_they_are_listed_with_their_figures(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"agents": [STATUS], "total": 2})

    assert desk.towpath("background", "list", "--limit", "1") == 0

    printed = capsys.readouterr().out
    row = ["monitor", "active", "12", "3", "2026-11-20", "09:05:00", "every", "300", "s"]
    assert printed.splitlines()[1].split() == row
    assert "--skip 1" in printed


@pytest.mark.parametrize(("interval", "sent"), [("300", 300), ("*/5 * * * *", "*/5 * * * *")])
def test_one_is_created_from_options(desk: Desk, interval: str, sent: Any) -> None:
    desk.tell(STATUS)
    options = ("--instruction", "Watch.", "--query", "What is wrong?", "--interval", interval, "--retry-delay", "30")

    assert desk.towpath("background", "create", "monitor", *options) == 0

    task = {"query": "What is wrong?", "max_retries": 3, "retry_delay": 30, "timeout": 600}
    (body,) = desk.bodies()
    assert (body["agent_id"], body["interval"], body["task_config"]) == ("monitor", sent, task)
    assert (body["system_instruction"], body["model_config"]) == ("Watch.", {"model": "fast"})


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (("start", "monitor", "--now"), {"reason": "", "now": True}),
        (("pause", "monitor", "--reason", "Moving."), {"reason": "Moving."}),
        (("resume", "monitor"), {"reason": ""}),
        (("stop", "monitor", "--immediate", "--confirm"), {"reason": "", "immediate": True, "confirm": True}),
    ],
)
def test_each_name_is_a_route(desk: Desk, arguments: tuple[str, ...], body: dict[str, Any]) -> None:
    desk.tell(STATUS)

    assert desk.towpath("background", *arguments) == 0

    assert [request.url.path for request in desk.asked] == [f"/api/background-agents/monitor/{arguments[0]}"]
    assert desk.bodies() == [body]


def test_the_status_shows_the_last_run_and_its_result(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(STATUS)

    assert desk.towpath("background", "status", "monitor") == 0

    printed = capsys.readouterr().out
    assert "run_1, queued, 2026-11-20 09:00:00 UTC" in printed
    assert '"summary": "well"' in printed


def test_a_stop_that_needs_a_word_says_what_it_would_end(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(problem(409, "confirmation_required", "2 queued runs would be cancelled."))

    assert desk.towpath("background", "stop", "monitor") == 1

    assert "2 queued runs would be cancelled." in capsys.readouterr().err
