"""`towpath agents batch`, `towpath runs resume` and batches in `towpath runs show`."""

from typing import Any

import httpx2
import pytest

from services.cli.batches import follow_batch
from services.cli.connection import Connection
from services.cli.gateway import Gateway
from tests.unit.services.cli.test_commands import RUN, Answer, Desk, desk

__all__ = ["desk"]

Document = dict[str, Any]

BATCH: Document = {
    "size": 2,
    "round": 1,
    "users_total": 3,
    "users_processed": 3,
    "users_failed": 1,
    "queries_executed": 8,
    "queries_failed": 0,
    "enrichments_applied": 5,
    "errors": [{"user": "bob", "code": "model_refused", "detail": "The model declined."}],
    "partial": True,
}
STARTED = {"agent_run": {"id": "run_1"}, "users_total": 3}


def parent(status: str, **changes: Any) -> Document:
    return RUN | {"status": status, "kind": "batch", "waiting_for": None, "error": None, "batch": BATCH | changes}


def tagged(document: Document) -> Answer:
    return lambda _: httpx2.Response(200, json=document, headers={"ETag": '"1"'})


def test_a_batch_is_for_users_for_all_or_for_a_filter(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(STARTED, STARTED)

    assert desk.towpath("agents", "batch", "noter", "--user", "ada", "--user", "bob", "--size", "2") == 0
    assert desk.towpath("agents", "batch", "noter", "--all", "--project", "apollo", "--input", '{"a": 1}') == 0

    first, second = desk.bodies()
    assert first == {"users": ["ada", "bob"], "batch_size": 2}
    assert second == {"user_filter": "all", "project": "apollo", "input": {"a": 1}}
    assert desk.asked[0].url.path == "/api/agents/noter/batch"
    assert "run_1 runs noter for 3 users" in capsys.readouterr().out
    assert desk.towpath("agents", "batch", "noter", "--all", "--user", "ada") == 2
    assert desk.towpath("agents", "batch", "noter") == 2


def test_a_watched_batch_ends_with_its_figures_and_1_unless_every_run_completed(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    child = RUN | {"id": "run_2", "status": "failed", "parent_id": "run_1"}
    desk.tell(STARTED, tagged(parent("completed")), {"agent_runs": [child]})

    assert desk.towpath("agents", "batch", "noter", "--all", "--watch") == 1

    printed = capsys.readouterr().out
    for shown in ("3 of 3, 1 failed", "8 executed", "bob", "model_refused", "run_2"):
        assert shown in printed
    assert desk.asked[-1].url.params["parent_id"] == "run_1"
    desk.tell(parent("queued"), tagged(parent("completed", partial=False, errors=[])), {"agent_runs": []})
    assert desk.towpath("runs", "resume", "run_1", "--watch") == 0


def test_a_batch_is_looked_at_until_it_has_ended(desk: Desk) -> None:
    desk.tell(tagged(parent("queued")), lambda _: httpx2.Response(304), tagged(parent("completed")))
    pauses = list[float]()

    run = follow_batch(
        Gateway(Connection("http://gateway", "token"), httpx2.MockTransport(desk)), "run_1", pauses.append
    )

    assert run["status"] == "completed"
    assert len(pauses) == 2
    assert desk.asked[1].headers["if-none-match"] == '"1"'


def test_a_batch_is_shown_with_its_runs_and_resumed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.tell(parent("completed"), {"agent_runs": [RUN | {"id": "run_2"}]}, parent("queued", round=2))

    assert desk.towpath("runs", "show", "run_1") == 0
    assert desk.towpath("runs", "resume", "run_1") == 0

    printed = capsys.readouterr().out
    assert "run_2" in printed
    assert "run_1 is queued, in round 2." in printed
