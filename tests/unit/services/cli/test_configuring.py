"""`towpath bindings, settings, schedules, memory`: what they ask, what they print, and with which code they end."""

from typing import Any

import httpx2
import pytest

from tests.unit.services.cli.test_commands import Desk, desk

__all__ = ["desk"]

Document = dict[str, Any]

BINDING: Document = {
    "id": "bnd_1",
    "agent_key": "noter",
    "scope": "user",
    "scope_id": "ada",
    "enabled": None,
    "paused": True,
    "priority_level": "high",
    "schedule": None,
    "updated_at": "2026-11-20T09:00:00Z",
    "updated_by": "olga",
}
HERE = ("--scope", "user", "--id", "ada")
ABOUT = {"agent_key": "noter", "scope": "user", "scope_id": "ada"}
NO_SCHEDULES: Document = {"schedules": [], "next_cursor": None}


def written(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json=BINDING | {"warnings": ["It is longer than the interval."]})


def test_what_a_scope_said_and_is_not_named_stays(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"bindings": [BINDING]}, written)

    assert desk.towpath("bindings", "set", "noter", *HERE, "--switch", "off", "--set", "model=fast") == 0

    asked, put = desk.asked
    assert dict(asked.url.params) == ABOUT
    assert (put.method, put.url.path) == ("PUT", "/api/bindings")
    said = {"enabled": False, "paused": None, "priority_level": "high", "schedule": None, "model": "fast"}
    assert desk.body_of(put) == ABOUT | said
    assert "user ada says about noter: paused=True, priority_level=high." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("switch", "says"),
    [
        ("on", {"enabled": True, "paused": None}),
        ("off", {"enabled": False, "paused": None}),
        ("paused", {"enabled": None, "paused": True}),
    ],
)
def test_a_switch_has_three_places(desk: Desk, switch: str, says: Document) -> None:
    desk.tell({"bindings": []}, written)

    assert desk.towpath("bindings", "set", "noter", *HERE, "--switch", switch) == 0
    assert desk.body_of(desk.asked[1]) == ABOUT | says


def test_what_is_cleared_says_nothing(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(BINDING | {"paused": None, "priority_level": None, "warnings": []})

    assert desk.towpath("bindings", "clear", "noter", *HERE) == 0

    assert desk.bodies() == [ABOUT]
    assert capsys.readouterr().out == "user ada says about noter: nothing.\n"


def test_bindings_are_listed_with_what_they_say(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"bindings": [BINDING]})

    assert desk.towpath("bindings", "list", "--agent", "noter") == 0

    assert dict(desk.asked[0].url.params) == {"agent_key": "noter"}
    assert capsys.readouterr().out.splitlines()[1].rstrip().endswith("paused=True, priority_level=high")


@pytest.mark.parametrize(
    "arguments",
    [
        ("bindings", "set", "noter", *HERE),
        ("bindings", "set", "noter", *HERE, "--set", "model"),
        ("bindings", "set", "noter", "--switch", "off"),
        ("preview", "binding", "noter", *HERE),
    ],
    ids=" ".join,
)
def test_a_binding_that_is_not_said_clearly_is_asked_of_nobody(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.towpath(*arguments) == 2
    assert desk.asked == []


def test_a_preview_of_a_binding_says_what_would_be_different(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    before = {"agent_key": "noter", "outcome": "skipped", "explanation": "It is off."}
    after = before | {"outcome": "run", "explanation": "It starts."}
    difference = {"event_id": "checkin-1", "event_type": "checkin.submitted", "before": before, "after": after}
    desk.tell({"decisions": [], "differences": [difference], "events": 7})

    assert desk.towpath("preview", "binding", "noter", *HERE, "--switch", "on", "--events", "7") == 0

    assert desk.bodies() == [{"binding": ABOUT | {"enabled": True, "paused": None}, "latest_events": 7}]
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split() == [
        "checkin-1",
        "checkin.submitted",
        "noter",
        "skipped",
        "run",
        "It",
        "starts.",
    ]
    assert "Different for 1 of 7 events." in printed


SETTING: Document = {
    "agent_key": "noter",
    "agent_version": 2,
    "says": BINDING,
    "explanation": "The runs of noter are queued and wait.",
    "values": {
        "paused": {
            "value": True,
            "decided_by": {"scope": "user", "scope_id": "ada"},
            "explanation": "paused is true, as the binding of user ada says.",
        },
        "model": {"value": "fast", "decided_by": None, "explanation": "model is fast, as the version says."},
    },
}


def test_settings_say_what_holds_and_who_decided(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"scope": "user", "scope_id": "ada", "settings": [SETTING]}
    desk.tell(answer, answer, answer)

    assert desk.towpath("settings", "show") == 0
    assert desk.towpath("settings", "show", "--scope", "project", "--id", "apollo", "--agent", "noter") == 0
    assert desk.towpath("settings", "show", "--agent", "gone") == 1

    assert [dict(request.url.params) for request in desk.asked[:2]] == [
        {"scope": "user"},
        {"scope": "project", "scope_id": "apollo"},
    ]
    printed = capsys.readouterr()
    assert "paused=True, priority_level=high  The runs of noter are queued and wait." in printed.out
    assert "user ada    paused is true, as the binding of user ada says." in printed.out
    assert "There is no Agent 'gone'." in printed.err


def test_schedules_are_listed_with_their_last_and_next_fire(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    decision = {"outcome": "skipped", "reason": "overlap", "run_id": None}
    schedule: Document = {
        "agent_key": "pulse",
        "member": {"project": "apollo", "user": "ada", "timezone": "UTC"},
        "text": "every 900 s",
        "next_fires": [{"fires_at": "2026-11-20T09:15:00Z"}],
        "last_fire": {"due_at": "2026-11-20T09:00:00Z", "decision": decision},
    }
    never = schedule | {"last_fire": None, "next_fires": []}
    desk.tell({"schedules": [schedule, never], "next_cursor": None}, NO_SCHEDULES)

    assert desk.towpath("schedules", "list", "--agent", "pulse") == 0
    assert desk.towpath("schedules", "list") == 0

    assert dict(desk.asked[0].url.params) == {"agent_key": "pulse", "limit": "50"}
    heading, first, second, *rest = capsys.readouterr().out.splitlines()
    assert heading.split()[-2:] == ["CAME", "TO"]
    assert first.split()[-4:] == ["2026-11-20", "09:00:00", "skipped:", "overlap"]
    assert second.split() == ["pulse", "apollo", "ada", "every", "900", "s"]
    assert rest == ["There are none."]


def test_memory_is_shown_field_by_field(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    block = {
        "id": "mem_1",
        "owner": {"type": "user", "id": "ada"},
        "label": "preferences",
        "fields": {"writing": "Short updates.", "meetings": "At noon."},
        "version": 3,
        "updated_at": "2026-11-20T09:00:00Z",
    }
    desk.tell({"blocks": [block]}, {"blocks": []})

    assert desk.towpath("memory", "show", "--user", "ada", "--project", "apollo") == 0
    assert desk.towpath("memory", "show") == 0

    assert dict(desk.asked[0].url.params) == {"user": "ada", "project": "apollo"}
    printed = capsys.readouterr().out
    assert "writing   3        2026-11-20 09:00:00  Short updates." in printed
    assert printed.endswith("There is nothing.\n")
