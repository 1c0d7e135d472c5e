"""What commands ask the gateway, what they print, and with which code they end."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from services.cli.app import run
from services.cli.connection import Connection
from services.cli.gateway import Gateway

Document = dict[str, Any]
Answer = Callable[[httpx2.Request], httpx2.Response]

LETTER: Document = {
    "id": "run_1",
    "kind": "run",
    "status": "open",
    "code": "model_refused",
    "reason": "The model declined.",
    "redrives": "run",
    "organisation": "acme",
    "agent_key": "noter",
    "run_id": "run_1",
    "event_key": "ev_1",
    "subject": None,
    "count": 2,
    "redriven": 1,
    "first_at": "2026-11-20T09:00:00Z",
    "last_at": "2026-11-20T10:30:00.123Z",
    "decided_at": None,
    "decided_by": None,
    "decision_reason": None,
    "payload": None,
    "payload_encoding": None,
}
MESSAGE = LETTER | {
    "id": "dead_1",
    "kind": "event",
    "agent_key": None,
    "run_id": None,
    "organisation": None,
    "subject": "event.doc.created.acme",
    "redrives": "message",
    "payload": '{"id":"checkin-1"}',
    "payload_encoding": "utf-8",
}
RUN: Document = {
    "id": "run_1",
    "agent_key": "noter",
    "agent_version": 3,
    "organisation": "acme",
    "project": "apollo",
    "user": "ada",
    "target": {"type": "doc", "id": "plan"},
    "status": "queued",
    "cancelling": False,
    "priority_level": "medium",
    "attempt": 1,
    "trigger": {"kind": "event", "event_key": "ev_1", "event_id": "doc-1", "event_type": "doc.created"},
    "queued_at": "2026-11-20T09:00:00Z",
    "started_at": None,
    "finished_at": None,
    "changed_at": "2026-11-20T09:00:00Z",
    "waiting_for": {"what": "retry", "since": "2026-11-20T09:00:00Z", "until": "2026-11-20T09:01:00Z", "detail": ""},
    "error": {"code": "model_timed_out", "detail": "No answer within 120 s."},
    "usage": {"input_tokens": 12, "output_tokens": 7, "model_calls": 1},
    "kind": "run",
    "parent_id": None,
    "batch": None,
    "output": {"summary": "well"},
    "effects": [],
    "steps": [
        {
            "index": 0,
            "kind": "model_call",
            "attempt": 1,
            "started_at": "2026-11-20T09:00:00Z",
            "finished_at": None,
            "error": None,
        }
    ],
}


class Desk:
    """A gateway that answers what it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.answers: Iterator[Answer | Document] = iter(())

    def tell(self, *answers: Answer | Document) -> None:
        self.answers = iter(answers)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        answer = next(self.answers)
        return httpx2.Response(200, json=answer) if isinstance(answer, dict) else answer(request)

    def bodies(self) -> list[Document]:
        return [self.body_of(request) for request in self.asked]

    def body_of(self, request: httpx2.Request) -> Document:
        body: Document = json.loads(request.content)
        return body

    def towpath(self, *arguments: str) -> int:
        """Run a command against this gateway."""
        transport = httpx2.MockTransport(self)
        return run(arguments, Gateway(Connection("http://gateway", "token"), transport))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def problem(status: int, code: str, detail: str) -> Answer:
    document = {"status": status, "code": code, "detail": detail}
    headers = {"content-type": "application/problem+json"}
    return lambda _: httpx2.Response(status, content=json.dumps(document), headers=headers)


def refuse_connection(request: httpx2.Request) -> httpx2.Response:
    raise httpx2.ConnectError("Connection refused", request=request)


def test_letters_are_listed_that_wait_for_a_decision(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"dead_letters": [LETTER, MESSAGE], "next_cursor": "more"})

    assert desk.towpath("dead-letters", "list", "--kind", "run", "--agent", "noter") == 0

    assert dict(desk.asked[0].url.params) == {"kind": "run", "status": "open", "agent_key": "noter", "limit": "50"}
    assert desk.asked[0].headers["authorization"] == "Bearer token"
    heading, first, second, *rest = capsys.readouterr().out.splitlines()
    assert heading.split()[:5] == ["ID", "STATUS", "CODE", "OF", "TIMES"]
    assert first.split()[:7] == ["run_1", "open", "model_refused", "noter", "2", "2026-11-20", "10:30:00"]
    assert first.endswith("The model declined.")
    assert second.split()[3] == "unknown"
    assert "--cursor more" in rest[-1]


def test_a_letter_is_shown_with_its_message(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(MESSAGE)

    assert desk.towpath("dead-letters", "show", "dead_1") == 0

    shown = capsys.readouterr().out
    assert "publishes the message again as it came" in shown
    assert '"id": "checkin-1"' in shown


def test_for_programs_the_answer_is_printed_as_it_came(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"dead_letters": [LETTER], "next_cursor": None}
    desk.tell(answer)

    assert desk.towpath("dead-letters", "list", "--json") == 0

    assert json.loads(capsys.readouterr().out) == answer


def test_by_filter_a_redrive_goes_on_until_no_letter_is_left(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    as_of = "2026-11-20T11:00:00Z"
    desk.tell(
        {"redriven": 199, "obsolete": 1, "more": True, "as_of": as_of},
        {"redriven": 3, "obsolete": 0, "more": False, "as_of": as_of},
    )

    assert desk.towpath("dead-letters", "redrive", "--code", "model_refused") == 0

    first, second = desk.bodies()
    assert first == {"code": "model_refused", "everything": False, "limit": 200}
    assert second == first | {"before": as_of}
    assert capsys.readouterr().out.startswith("202 redriven.")


def test_a_reason_is_kept_with_what_is_discarded(desk: Desk) -> None:
    desk.tell(LETTER | {"status": "discarded"}, {"discarded": 1, "more": False, "as_of": "2026-11-20T11:00:00Z"})

    assert desk.towpath("dead-letters", "discard", "run_1", "--reason", "not needed") == 0
    assert desk.towpath("dead-letters", "discard", "--everything", "--reason", "old") == 0

    assert [request.url.path for request in desk.asked] == [
        "/api/dead-letters/run_1/discard",
        "/api/dead-letters/discard",
    ]
    assert [body["reason"] for body in desk.bodies()] == ["not needed", "old"]


def test_of_several_ids_those_that_are_refused_keep_no_other_from_being_done(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.tell(problem(409, "dead_letter_decided", "It is discarded."), LETTER | {"status": "redriven"})

    assert desk.towpath("dead-letters", "redrive", "run_0", "run_1") == 1

    printed = capsys.readouterr()
    assert printed.out == "run_1 is redriven.\n"
    assert "run_0: It is discarded. (dead_letter_decided)" in printed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("dead-letters", "redrive"),
        ("dead-letters", "redrive", "run_1", "--everything"),
        ("dead-letters", "discard", "run_1"),
        ("runs", "cancel"),
        ("runs", "cancel", "run_1", "--agent", "noter"),
        ("runs", "list", "--status", "asleep"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_what_is_unclear_is_asked_of_nobody(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.towpath(*arguments) == 2
    assert desk.asked == []


@pytest.mark.parametrize(
    ("answer", "exit_code", "told"),
    [
        (problem(404, "not_found", "There is no such dead letter."), 1, "no such dead letter. (not_found)"),
        (problem(401, "unauthenticated", "The token does not hold."), 1, "TOWPATH_TOKEN"),
        (problem(503, "storage_unavailable", "MongoDB does not answer."), 3, "MongoDB does not answer."),
        (refuse_connection, 3, "http://gateway does not answer: Connection refused. Is it running"),
        (lambda _: httpx2.Response(404, text="<html>"), 3, "not like a Towpath gateway"),
        (lambda _: httpx2.Response(200, text="<html>"), 3, "not like a Towpath gateway"),
    ],
    ids=["refused", "without a token that holds", "a server is away", "not running", "something else", "a website"],
)
def test_an_error_says_what_to_do_and_is_the_exit_code(
    desk: Desk, capsys: pytest.CaptureFixture[str], answer: Answer, exit_code: int, told: str
) -> None:
    desk.tell(answer)

    assert desk.towpath("dead-letters", "show", "dead_1") == exit_code

    printed = capsys.readouterr()
    assert told in printed.err
    assert printed.out == ""


def test_runs_are_listed_with_what_they_wait_for(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    cancelling = RUN | {"id": "run_2", "status": "running", "cancelling": True, "waiting_for": None, "error": None}
    desk.tell({"agent_runs": [RUN, cancelling], "active": 2, "recent_failures": 0, "next_cursor": None})

    assert desk.towpath("runs", "list", "--all-users", "--status", "queued", "--status", "running") == 0

    assert desk.asked[0].url.params.get_list("status") == ["queued", "running"]
    printed = capsys.readouterr().out
    assert "waits for retry" in printed
    assert "cancelling" in printed
    assert "2 active, 0 failed recently." in printed


def test_a_run_is_shown_with_its_steps_and_output(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(RUN)

    assert desk.towpath("runs", "show", "run_1") == 0

    shown = capsys.readouterr().out
    assert "retry until 2026-11-20 09:01:00 UTC" in shown
    assert "model_timed_out: No answer within 120 s." in shown
    assert "model_call" in shown
    assert '"summary": "well"' in shown


def test_a_run_is_explained_in_words(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell({"run": RUN, "summary": "It waits for its next attempt.", "details": ["Attempt 1 timed out."]})

    assert desk.towpath("runs", "explain", "run_1") == 0

    assert capsys.readouterr().out == "It waits for its next attempt.\n  - Attempt 1 timed out.\n"


def test_runs_are_cancelled_by_id_and_by_filter(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(RUN | {"status": "cancelled"}, {"cancelled": 40, "cancelling": 2})

    assert desk.towpath("runs", "cancel", "run_1", "--reason", "not needed") == 0
    assert desk.towpath("runs", "cancel", "--agent", "noter", "--all-users") == 0

    assert [request.url.path for request in desk.asked] == ["/api/agent-runs/run_1/cancel", "/api/agent-runs/cancel"]
    assert desk.bodies() == [{"reason": "not needed"}, {"agent_key": "noter", "all_users": True}]
    assert capsys.readouterr().out == "run_1 is cancelled.\n40 cancelled, 2 cancelling.\n"
