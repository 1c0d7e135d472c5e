"""`towpath agents`: what the commands ask the gateway, what they print, and with which code they end."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.services.cli.test_commands import Desk, desk, problem
from tests.unit.shared.given import a_spec

__all__ = ["desk"]

Document = dict[str, Any]

VERSION: Document = {
    "number": 2,
    "author": "olga",
    "origin": "admin",
    "note": "Shorter.",
    "published_at": "2026-11-20T09:00:00Z",
    "content_hash": "c0ffee" * 10,
}
AGENT: Document = {
    "key": "noter",
    "visibility": "organisation",
    "status": "paused",
    "name": "Noter",
    "description": "",
    "agent_type": "custom",
    "category": "",
    "tags": ["notes"],
    "priority_level": "medium",
    "published": VERSION,
    "has_draft": True,
    "created_at": None,
    "created_by": None,
    "archived_at": None,
    "archived_by": None,
}
CHANGE = {"field": "model.tier", "old": "fast", "new": "reasoning"}
SAME: Document = {"valid": True, "errors": [], "published": 2, "content_hash": "c0ffee", "changes": []}
CHANGED = SAME | {"changes": [CHANGE]}
NEW = SAME | {"published": None, "changes": [CHANGE]}
UNFIT = SAME | {"valid": False, "errors": [{"field": "retry_attempts", "message": "must be at most 5."}]}
PUBLISHED = {"changed": True, "version": VERSION}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for key in ("noter", "reader"):
        (tmp_path / f"{key}.toml").write_text(f'key = "{key}"\nname = "A"\nvisibility = "organisation"\n')
    return tmp_path


def asked(desk: Desk) -> list[str]:
    return [f"{request.method} {request.url.path.removeprefix('/api/agents')}" for request in desk.asked]


def test_agents_are_listed_with_version_and_draft(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"agents": [AGENT], "total": 2, "skip": 0, "limit": 1})

    assert desk.towpath("agents", "list", "--status", "paused", "--limit", "1") == 0

    assert dict(desk.asked[0].url.params) == {"status": "paused", "skip": "0", "limit": "1"}
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split()[:5] == ["noter", "paused", "2", "+", "draft"]
    assert "--skip 1" in printed


def test_an_agent_is_shown_with_its_configuration(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(AGENT | {"configuration": {"handler": "noop"}, "draft": None})

    assert desk.towpath("agents", "show", "noter", "--visibility", "organisation") == 0

    assert desk.asked[0].url.params["visibility"] == "organisation"
    printed = capsys.readouterr().out
    assert "version 2, by olga" in printed
    assert '"handler": "noop"' in printed


def test_versions_and_what_differs_are_tables(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"versions": [VERSION]}, {"old": VERSION, "new": VERSION, "changes": [CHANGE]})

    assert desk.towpath("agents", "versions", "noter") == 0
    assert desk.towpath("agents", "compare", "noter", "1", "2") == 0

    printed = capsys.readouterr().out
    assert "Shorter." in printed
    assert printed.splitlines()[-1].split() == ["model.tier", "fast", "reasoning"]
    assert dict(desk.asked[1].url.params) == {"from": "1", "to": "2"}


def test_a_draft_that_is_not_fit_is_told_field_by_field(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(UNFIT)

    assert desk.towpath("agents", "validate", "noter") == 1

    assert "retry_attempts: must be at most 5." in capsys.readouterr().out


def test_publishing_and_rolling_back_say_the_version(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(PUBLISHED, PUBLISHED | {"changed": False})

    assert desk.towpath("agents", "publish", "noter", "--note", "Shorter.") == 0
    assert desk.towpath("agents", "rollback", "noter", "--to", "1") == 0

    assert desk.bodies() == [{"note": "Shorter."}, {"number": 1, "note": ""}]
    assert "nothing changed" in capsys.readouterr().out


def test_a_status_that_is_refused_for_one_is_set_for_the_others(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    done = {"key": "noter", "status": "paused", "code": None, "detail": None}
    refused = {"key": "reader", "status": None, "code": "not_found", "detail": "There is no Agent 'reader'."}
    desk.tell({"results": [done, refused]})

    assert desk.towpath("agents", "status", "paused", "noter", "reader") == 1

    printed = capsys.readouterr()
    assert printed.out == "noter is paused.\n"
    assert "There is no Agent 'reader'. (not_found)" in printed.err


def test_a_run_is_started_on_a_target_with_input(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"agent_run": {"id": "run_1", "agent_version": 2}, "event_id": "e", "decisions": [], "pending": False})

    assert desk.towpath("agents", "run", "noter", "--target", "doc:a:b", "--input", '{"question": "Why?"}') == 0

    assert desk.bodies() == [{"target": {"type": "doc", "id": "a:b"}, "input": {"question": "Why?"}}]
    assert "towpath runs show run_1" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [("--target", "doc"), ("--input", "[]"), ("--input", "{")])
def test_a_run_that_is_unclear_is_asked_of_nobody(desk: Desk, wrong: tuple[str, str]) -> None:
    assert desk.towpath("agents", "run", "noter", *wrong) == 2
    assert desk.asked == []


def test_only_what_differs_is_applied(desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(SAME, CHANGED, AGENT, PUBLISHED)

    assert desk.towpath("agents", "apply", str(folder), "--yes") == 0

    assert asked(desk) == ["POST /noter/validate", "POST /reader/validate", "PUT /reader", "POST /reader/publish"]
    assert desk.bodies()[3] == {"note": "Applied from reader.toml."}
    assert desk.asked[3].url.params["visibility"] == "organisation"
    assert "Version 2 of reader is published." in capsys.readouterr().out


def test_applying_what_is_published_changes_nothing(desk: Desk, folder: Path) -> None:
    desk.tell(SAME, SAME)

    assert desk.towpath("agents", "apply", str(folder)) == 0

    assert asked(desk) == ["POST /noter/validate", "POST /reader/validate"]


def test_a_new_agent_is_created(desk: Desk, folder: Path) -> None:
    (folder / "noter.toml").unlink()
    desk.tell(NEW, problem(404, "not_found", "There is no Agent."), AGENT, PUBLISHED)

    assert desk.towpath("agents", "apply", str(folder), "--yes", "--json") == 0

    assert asked(desk)[1:] == ["PUT /reader", "POST ", "POST /reader/publish"]


def test_one_wrong_field_keeps_everything_from_being_applied(
    desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.tell(CHANGED, UNFIT)

    assert desk.towpath("agents", "apply", str(folder), "--yes") == 1

    assert asked(desk) == ["POST /noter/validate", "POST /reader/validate"]
    assert f"{folder / 'reader.toml'}: retry_attempts: must be at most 5." in capsys.readouterr().err


def test_files_that_cannot_be_read_are_named_with_the_line_and_asked_of_nobody(
    desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.toml").write_text('key = "broken"\nname =\n')
    (folder / "twice.toml").write_text('key = "noter"\nvisibility = "organisation"')

    assert desk.towpath("agents", "diff", str(folder)) == 2

    told = capsys.readouterr().err
    assert "broken.toml" in told
    assert "line 2" in told
    assert "noter.toml is about Agent 'noter' already" in told
    assert desk.asked == []


def test_a_difference_is_shown_field_by_field(desk: Desk, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(SAME, CHANGED)

    assert desk.towpath("agents", "diff", str(folder)) == 0

    assert capsys.readouterr().out.splitlines()[-1].split() == ["model.tier", "fast", "reasoning"]


def test_what_is_exported_is_a_file_for_each_published_agent(desk: Desk, tmp_path: Path) -> None:
    configuration = json.loads(a_spec("noter", visibility="organisation").model_dump_json())
    draft_only = AGENT | {"key": "reader", "published": None}
    desk.tell({"agents": [AGENT, draft_only]}, {"agents": []}, AGENT | {"configuration": configuration})

    assert desk.towpath("agents", "export", str(tmp_path / "agents")) == 0

    (file,) = (tmp_path / "agents").iterdir()
    assert file.name == "noter.toml"
    assert 'visibility = "organisation"' in file.read_text()


def test_a_status_for_later_is_sent_with_its_moment_and_why(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"results": [{"key": "noter", "status": "active", "code": None, "detail": None}]})
    later = ("--shutdown", "scheduled", "--at", "2030-01-01T00:00:00Z", "--reason", "Moving.", "--confirm")

    assert desk.towpath("agents", "status", "inactive", "noter", *later) == 0

    (body,) = desk.bodies()
    assert (body["status"], body["shutdown"], body["at"]) == ("inactive", "scheduled", "2030-01-01T00:00:00Z")
    assert (body["reason"], body["confirm"]) == ("Moving.", True)
    assert "It will be inactive at 2030-01-01T00:00:00Z." in capsys.readouterr().out
