"""`towpath runs follow`: what is sent is taken apart, printed, and gone on from."""

import json
from typing import Any

import httpx2
import pytest

from services.cli.connection import Connection
from services.cli.event_stream import Sent, events_in, listen
from services.cli.gateway import Gateway
from tests.unit.services.cli.test_commands import Answer, Desk, desk, problem

__all__ = ["desk"]


def event(type: str, id: str, **data: Any) -> str:
    """Return the lines of one event."""
    told = {"type": type, "time": "2026-11-20T09:00:00Z", "data": {"run_id": "run_1", "agent_key": "noter", **data}}
    return f"event: background_agent_status\ndata: {json.dumps(told, ensure_ascii=False)}\nid: {id}\n\n"


def sending(*events: str) -> Answer:
    return lambda _: httpx2.Response(200, text="".join(events), headers={"Content-Type": "text/event-stream"})


def away(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("nobody is there")


def test_events_are_taken_apart_and_what_is_only_a_place_keeps_it() -> None:
    lines = [
        "id: 1-4",
        "retry: 1000",
        "",
        "event: a",
        "data: {}",
        "",
        ": keep-alive",
        "id: 1-9",
        "",
        "data:x",
        "id: 1-10",
        "",
    ]

    assert list(events_in(lines)) == [
        Sent("", "", "1-4"),
        Sent("a", "{}", "1-4"),
        Sent("", "", "1-9"),
        Sent("message", "x", "1-10"),
    ]


def test_listening_goes_on_after_the_last_event_whenever_the_connection_ends(desk: Desk) -> None:
    gateway, pauses = Gateway(Connection("http://gateway", "token"), httpx2.MockTransport(desk)), list[float]()
    desk.tell(sending(event("run.queued", "1-4")), away, sending("id: 1-9\n\n"), sending(event("run.started", "1-11")))

    listening = listen(gateway, "/api/agent-runs/events", {"user": None}, pauses.append)
    ids = [next(listening).id, next(listening).id]

    assert ids == ["1-4", "1-11"]
    assert [request.headers.get("Last-Event-ID") for request in desk.asked] == [None, "1-4", "1-4", "1-9"]
    assert len(pauses) == 3


def test_one_run_is_followed_until_it_has_ended(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    error = {"code": "model_refused", "detail": "It\u2028declined."}
    desk.tell(sending(event("run.started", "1-4"), event("run.failed", "1-5", error=error), event("run.queued", "1-6")))

    assert desk.towpath("runs", "follow", "run_1") == 0

    started, failed = capsys.readouterr().out.split("\n")[:2]
    assert started == "2026-11-20 09:00:00  run.started  noter  run_1"
    assert "run.failed" in failed
    assert "model_refused" in failed
    assert desk.asked[0].url.path == "/api/agent-runs/run_1/events"


def test_what_was_missed_is_said(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    gap = 'event: resync\ndata: {"reason":"expired","detail":"Read the runs again."}\nid: 1-0\n\n'
    desk.tell(sending(gap), problem(403, "forbidden", "No."))

    assert desk.towpath("runs", "follow", "--all-users", "--after", "1-3") == 1

    assert "resync: Read the runs again." in capsys.readouterr().out
    assert dict(desk.asked[0].url.params) == {"after": "1-3", "all_users": "true"}


def test_a_gateway_that_is_away_at_first_is_an_error(desk: Desk) -> None:
    desk.tell(away)

    assert desk.towpath("runs", "follow") == 3


def test_a_run_and_a_filter_are_unclear(desk: Desk) -> None:
    assert desk.towpath("runs", "follow", "run_1", "--all-users") == 2
