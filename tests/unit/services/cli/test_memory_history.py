"""`towpath memory history, diff, restore, set`: what they ask, what they print, and with which code they end."""

from typing import Any

import pytest

from tests.unit.services.cli.test_commands import Desk, desk, problem

__all__ = ["desk"]

AUTHOR = {"user": "ada", "agent_key": "noter", "run_id": "run_1", "proposal_id": "prp_1"}
VERSION: dict[str, Any] = {
    "version": 2,
    "at": "2026-11-20T09:00:00Z",
    "author": AUTHOR,
    "action": "approved",
    "reason": "Right.",
}
BLOCK = {"id": "mem_1", "version": 3}


def test_each_version_says_who_made_it_how_and_why(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"versions": [VERSION], "next_cursor": "2"})

    assert desk.towpath("memory", "history", "mem_1", "-n", "1") == 0

    assert str(desk.asked[0].url).endswith("/api/memory/mem_1/versions?limit=1")
    _, row, _, more = capsys.readouterr().out.splitlines()
    assert row.split() == ["2", "2026-11-20", "09:00:00", "ada", "approved", "noter", "Right."]
    assert more == "There are more: add --cursor 2"


def test_differences_are_marked_word_by_word(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    pieces = [
        {"part": "same", "text": "I like "},
        {"part": "removed", "text": "tea"},
        {"part": "added", "text": "coffee"},
    ]
    desk.tell({"fields": {"drinks": pieces}}, {"fields": {}})

    assert desk.towpath("memory", "diff", "mem_1", "--from", "1", "--to", "2") == 0
    assert desk.towpath("memory", "diff", "mem_1", "--from", "2", "--to", "2") == 0

    assert dict(desk.asked[0].url.params) == {"from": "1", "to": "2"}
    assert capsys.readouterr().out == "drinks: I like [-tea-]{+coffee+}\nNothing differs.\n"


def test_fields_are_written_on_the_version_that_is_there_or_was_named(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.tell({"version": 2}, BLOCK, problem(409, "memory_changed", "It is at version 3."))

    assert desk.towpath("memory", "set", "mem_1", "tea=1 = one", "milk=", "--reason", "So.") == 0
    assert desk.towpath("memory", "set", "mem_1", "tea=2", "--base", "1") == 1
    assert desk.towpath("memory", "set", "mem_1", "tea", "--base", "1") == 2

    written, stale = (desk.body_of(request) for request in desk.asked[1:])
    assert written == {"fields": {"tea": "1 = one", "milk": ""}, "base_version": 2, "reason": "So."}
    assert stale["base_version"] == 1
    assert capsys.readouterr().out == "mem_1 is at version 3.\n"


def test_an_earlier_version_is_restored(desk: Desk) -> None:
    desk.tell(BLOCK)

    assert desk.towpath("memory", "restore", "mem_1", "1", "--base", "2") == 0

    assert (desk.asked[0].url.path, desk.bodies()) == (
        "/api/memory/mem_1/restore",
        [{"version": 1, "base_version": 2}],
    )
