"""`towpath events` and `towpath preview`: what they ask, what they print, and with which code they end."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.cli.errors import Unclear
from services.cli.values import assigned, events_in
from tests.unit.services.cli.test_commands import Desk, desk, problem

__all__ = ["desk"]

Document = dict[str, Any]

SKIPPED: Document = {
    "agent_key": "noter",
    "agent_version": 1,
    "outcome": "skipped",
    "reason": "disabled",
    "decided_by": {"scope": "user", "scope_id": "ada"},
    "run_id": None,
    "explanation": "noter is disabled by the binding of user ada.",
}
RECORD: Document = {
    "key": "ev_1",
    "id": "checkin-1",
    "type": "checkin.submitted",
    "organisation": "acme",
    "project": None,
    "user": "ada",
    "accepted_at": "2026-11-20T09:00:00Z",
    "pending": False,
    "decisions": [SKIPPED],
    "dead_letter": None,
}
MADE = ("--type", "checkin.submitted", "--user", "ada", "--id", "checkin-1", "--data", "date=2026-11-20")


def accepted(index: int = 0, **changes: Any) -> Document:
    event = {"index": index, "id": f"checkin-{index + 1}", "key": "ev", "agent_runs": [], "decisions": [SKIPPED]}
    return {**event, "pending": False, **changes}


def answer(*events: Document) -> Document:
    return {"events": list(events), "agent_runs": []}


def test_an_event_made_of_options_is_published(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(answer(accepted()))

    assert desk.towpath("events", "publish", *MADE, "--data", "mood=3", "--data", 'text="3"') == 0

    (request,) = desk.asked
    assert (request.method, request.url.path) == ("POST", "/api/events")
    assert request.headers["content-type"] == "application/cloudevents-batch+json"
    (event,) = json.loads(request.content)
    assert event == {
        "specversion": "1.0",
        "id": "checkin-1",
        "source": "/towpath/cli",
        "type": "checkin.submitted",
        "userid": "ada",
        "data": {"date": "2026-11-20", "mood": 3, "text": "3"},
    }
    assert capsys.readouterr().out.splitlines()[1].split() == [
        *("checkin-1", "noter", "skipped"),
        *SKIPPED["explanation"].split(),
    ]


def test_many_events_are_published_in_batches_and_keep_their_places(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "day.jsonl"
    file.write_text("\n".join(json.dumps({"id": str(number)}) for number in range(150)))
    refusal = {"index": 7, "id": "107", "code": "missing", "field": "type", "message": "'type' is missing."}
    refused = {"status": 422, "code": "events_refused", "detail": "1 refused", "errors": [refusal], **answer()}
    desk.tell(answer(accepted(99)), lambda _: httpx2.Response(422, json=refused))

    assert desk.towpath("events", "publish", str(file), "--json") == 1

    assert [len(json.loads(request.content)) for request in desk.asked] == [100, 50]
    printed = capsys.readouterr()
    assert [each["index"] for each in json.loads(printed.out)["errors"]] == [107]
    assert "event 108: 'type' is missing. (missing)" in printed.err


def test_what_is_pending_and_what_concerns_no_agent_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(answer(accepted(pending=True, decisions=[]), accepted(1, decisions=[])))

    assert desk.towpath("events", "publish", *MADE) == 0

    printed = capsys.readouterr().out
    assert "the gate has not answered yet" in printed
    assert "1 accepted that no Agent reacts to." in printed


def test_a_refusal_of_all_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(problem(413, "body_too_large", "The body is larger than 4 bytes."))

    assert desk.towpath("events", "publish", *MADE) == 1
    assert "(body_too_large)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [(), ("day.jsonl", "--type", "doc.created"), ("day.jsonl", "--user", "ada"), (*MADE, "--data", "date")],
    ids=" ".join,
)
def test_an_event_that_is_not_said_clearly_is_asked_of_nobody(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.towpath("events", "publish", *arguments) == 2
    assert desk.asked == []


@pytest.mark.parametrize(
    ("text", "count"), [('{"id": "1"}', 1), ('[{"id": "1"}, {"id": "2"}]', 2), ('{"id": "1"}\n\n{"id": "2"}\n', 2)]
)
def test_a_file_holds_one_event_a_list_or_one_on_each_line(text: str, count: int) -> None:
    assert len(events_in(text, "day.jsonl")) == count


@pytest.mark.parametrize(("text", "told"), [("[]", "no event"), ("[1]", "no event"), ('{"id": 1}\n{', "line 2")])
def test_a_file_that_holds_no_event_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(Unclear, match=told):
        events_in(text, "day.jsonl")


def test_a_value_is_json_or_else_a_text() -> None:
    said = assigned(["a=1", "b=one=two", 'c="1"', "d=null", 'e={"f": [true]}'], "--set")

    assert said == {"a": 1, "b": "one=two", "c": "1", "d": None, "e": {"f": [True]}}


def test_events_are_listed_with_what_came_of_them(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    waiting = RECORD | {"key": "ev_2", "pending": True, "decisions": []}
    dead, ignored = waiting | {"key": "ev_3", "dead_letter": "dead_1"}, RECORD | {"key": "ev_4", "decisions": []}
    desk.tell({"events": [RECORD, waiting, dead, ignored], "next_cursor": "more"})

    assert desk.towpath("events", "list", "--all-users", "--type", "checkin.submitted") == 0

    assert dict(desk.asked[0].url.params) == {"type": "checkin.submitted", "all_users": "true", "limit": "50"}
    printed = capsys.readouterr().out.splitlines()
    ends = ["noter: skipped", "pending", "dead letter dead_1", "no Agent reacts"]
    assert [line.rstrip().endswith(end) for line, end in zip(printed[1:5], ends, strict=True)] == [True] * 4
    assert "--cursor more" in printed[-1]


def test_an_event_is_shown_with_its_content(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(RECORD | {"event": {"data": {"mood": "calm"}}})

    assert desk.towpath("events", "show", "ev_1") == 0

    assert desk.asked[0].url.path == "/api/events/ev_1"
    printed = capsys.readouterr().out
    assert SKIPPED["explanation"] in printed
    assert '"mood": "calm"' in printed


def test_a_preview_of_an_event_says_what_it_would_start(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    foreseen = SKIPPED | {"outcome": "run", "priority_level": "high", "target": {"type": "doc", "id": "plan"}}
    desk.tell({"decisions": [foreseen], "differences": [], "events": 1})

    assert desk.towpath("preview", "event", *MADE) == 0

    assert desk.bodies()[0]["event"]["id"] == "checkin-1"
    assert capsys.readouterr().out.splitlines()[1].split()[:5] == ["noter", "run", "high", "doc", "plan"]


def test_a_preview_takes_one_event(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "two.json"
    file.write_text("[{}, {}]")

    assert desk.towpath("preview", "event", str(file)) == 2
    assert desk.asked == []
