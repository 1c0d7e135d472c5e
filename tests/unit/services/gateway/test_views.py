"""What the API shows: exactly what its documented classes say, for whatever is stored."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from contracts.agents import CallMode, DailySchedule, IntervalSchedule, MemoryOwner, Schedule, Scope
from services.gateway.answers import json_answer
from services.gateway.run_detail import RunDetail, run_detail
from services.gateway.views import (
    BindingView,
    BlockView,
    ProposalView,
    RunView,
    View,
    binding_view,
    block_view,
    proposal_view,
    run_view,
)
from shared.domain.binding import Binding, ScopeRef
from shared.domain.decide import record
from shared.domain.decision import RunDecided, Target
from shared.domain.memory import Owner
from shared.domain.projection import proposals_of
from shared.domain.run import RunStatus, Waiting
from shared.store.memory import MemoryBlock
from shared.store.run_documents import waiting_document
from tests.unit.shared.given import (
    LATER,
    NOW,
    a_memory_effect,
    a_new_run,
    a_stored_run,
    a_ticket_effect,
    an_event,
)

RETRYING: dict[str, Any] = {
    "attempt": 2,
    "failures": 1,
    "started_at": NOW,
    "error": {"code": "model_unavailable", "detail": "It hung up."},
    "usage": {"input_tokens": 1, "output_tokens": 2, "model_calls": 1},
    "waiting_for": waiting_document(Waiting.RETRY, NOW, until=LATER, detail="model_unavailable"),
}


def checked(kind: type[View], view: dict[str, Any]) -> dict[str, Any]:
    """Return what a client reads, after checking it against the class that documents it."""
    body: dict[str, Any] = orjson.loads(json_answer(view).body)
    kind.model_validate(body)
    assert body.keys() >= kind.model_fields.keys()
    return body


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_is_shown_as_documented_in_every_status(status: RunStatus) -> None:
    shown = checked(RunView, run_view(a_stored_run(status)))

    assert (shown["id"], shown["status"], shown["priority_level"]) == ("run_1", status, "medium")


@pytest.mark.parametrize("places", [{"project": None}, {"user": None}, {"project": None, "user": None}])
def test_a_run_of_no_project_or_user_is_shown_as_documented(places: dict[str, Any]) -> None:
    shown = checked(RunView, run_view(a_stored_run(run=a_new_run(**places))))

    assert {name: shown[name] for name in places} == places


def test_a_run_that_waits_for_its_next_attempt_says_so() -> None:
    shown = checked(RunView, run_view(a_stored_run(**RETRYING)))

    assert (shown["waiting_for"]["what"], shown["waiting_for"]["detail"]) == ("retry", "model_unavailable")
    assert shown["error"] == {"code": "model_unavailable", "detail": "It hung up."}


def test_a_run_that_waits_for_a_place_names_it_to_people_and_not_by_its_key() -> None:
    waiting = waiting_document(Waiting.TARGET, NOW, key="slot_1", detail="noter on doc plan")

    shown = checked(RunView, run_view(a_stored_run(waiting_for=waiting)))

    assert (shown["waiting_for"]["until"], shown["waiting_for"]["detail"]) == (None, "noter on doc plan")
    assert "key" not in shown["waiting_for"]


ASKED: dict[str, Any] = {"requested_at": NOW, "requested_by": "olga", "reason": None, "token": "secret"}


@pytest.mark.parametrize(("status", "is_cancelling"), [(RunStatus.RUNNING, True), (RunStatus.CANCELLED, False)])
def test_a_run_is_cancelling_until_its_end_is_confirmed(status: RunStatus, is_cancelling: bool) -> None:
    spent = {"input_tokens": 3, "output_tokens": 4, "model_calls": 1}

    shown = checked(RunView, run_view(a_stored_run(status, cancel=ASKED, spent_after_cancel=spent)))

    assert shown["cancelling"] is is_cancelling
    assert (shown["cancel"]["requested_by"], shown["cancel"]["spent_after"]) == ("olga", spent)
    assert (shown["cancel"]["confirmed_at"] is None) is is_cancelling
    assert "token" not in shown["cancel"]


def test_a_run_that_was_tried_again_says_how_often_and_how_many_runners_it_lost() -> None:
    shown = checked(RunView, run_view(a_stored_run(redriven=2, losses=3)))

    assert (shown["redriven"], shown["losses"], shown["cancel"]) == (2, 3, None)


@pytest.mark.parametrize(("event_type", "kind"), [("schedule.fired", "schedule"), ("checkin.submitted", "event")])
def test_a_run_says_what_started_it(event_type: str, kind: str) -> None:
    shown = checked(RunView, run_view(a_stored_run(run=a_new_run(event_type=event_type))))

    event = {"event_key": "ev_1", "event_id": "event-1", "event_type": event_type}
    assert shown["trigger"] == {"kind": kind, **event, "replay_id": None, "original_run_id": None}


def test_a_replay_names_its_original() -> None:
    shown = checked(RunView, run_view(a_stored_run(replay={"id": "rpl_1", "of": "run_0"})))

    trigger = shown["trigger"]
    assert (trigger["kind"], trigger["replay_id"], trigger["original_run_id"]) == ("replay", "rpl_1", "run_0")


@pytest.mark.parametrize("status", RunStatus)
def test_the_detail_of_a_run_is_shown_as_documented(status: RunStatus) -> None:
    run = a_stored_run(status)
    decision = record("ev_1", RunDecided("noter", 1, Target("doc", "plan"), a_new_run().lane, None))
    event = {"json": an_event().to_json().decode(), "decisions": [decision | {"run_id": run["_id"]}]}
    error = {"code": "model_unavailable", "detail": "Gone.", "at": NOW, "attempt": 1}
    made = {"kind": "model_call", "name": "deep", "attempt": 1, "started_at": NOW}
    step = {"index": 0, **made, "finished_at": None, "facts": {"response_id": "resp_1"}, "error": error}
    ended = {**made, "finished_at": NOW + timedelta(seconds=1)}
    finished = {"index": 1, **ended, "result_json": '{"text":"well"}'}
    large = {"index": 2, **ended, "result_body": "run_1:step-2:hash", "result_bytes": 300_000}

    shown = checked(RunDetail, run_detail(run, event, [step, finished, large]))

    assert shown["output"] == ({"summary": "well"} if status is RunStatus.COMPLETED else None)
    assert [each["result"] for each in shown["steps"]] == [None, {"text": "well"}, None]
    assert [each["result_bytes"] for each in shown["steps"]] == [None, None, 300_000]
    assert (shown["steps"][0]["facts"], shown["steps"][0]["error"]["code"]) == (step["facts"], error["code"])
    assert shown["decision"]["run_id"] == "run_1"
    assert shown["event"]["type"] == "checkin.submitted"


@pytest.mark.parametrize("event", [None, {"json": "{}"}, {"json": "{}", "decisions": [{"run_id": None}]}])
def test_a_run_whose_event_or_decision_is_gone_is_shown_all_the_same(event: dict[str, Any] | None) -> None:
    shown = checked(RunDetail, run_detail(a_stored_run(), event, []))

    assert shown["decision"] is None


def test_a_run_shows_all_events_that_it_took_and_works_on() -> None:
    gathering = {"key": "gat_1", "events": ["ev_0", "ev_1"], "latest": [NOW, 0]}

    alone = checked(RunDetail, run_detail(a_stored_run(), None, []))
    gathered = checked(RunDetail, run_detail(a_stored_run(gathering=gathering), None, []))

    assert alone["events"] == {"count": 1, "last": "ev_1", "keys": ["ev_1"]}
    assert gathered["events"] == {"count": 2, "last": "ev_1", "keys": ["ev_0", "ev_1"]}


def test_a_memory_diff_shows_its_fields_beside_those_of_the_proposal() -> None:
    (proposal,) = proposals_of(a_stored_run(RunStatus.COMPLETED, effects=[a_memory_effect()]))

    shown = checked(ProposalView, proposal_view(proposal))

    assert (shown["id"], shown["kind"], shown["status"]) == (proposal["_id"], "memory_diff", "pending")
    assert (shown["block_label"], shown["field"], shown["operation"]) == ("preferences", "reviews", "replace")
    assert shown["owner"] == {"type": "user", "id": "ada"}
    assert "change" not in shown


def test_another_proposal_shows_its_change() -> None:
    (proposal,) = proposals_of(a_stored_run(RunStatus.COMPLETED, effects=[a_ticket_effect()]))

    shown = checked(ProposalView, proposal_view(proposal))

    assert shown["change"]["title"] == "Renew the key"


@pytest.mark.parametrize("updated_by", [None, "ada"])
def test_a_block_is_shown_as_documented(updated_by: str | None) -> None:
    owner = Owner(MemoryOwner.PROJECT, "apollo")
    block = MemoryBlock("acme", owner, "notes", {"tea": "green"}, 3, None if updated_by is None else NOW, updated_by)

    shown = checked(BlockView, block_view(block))

    assert (shown["id"], shown["owner"], shown["version"]) == (block.id, {"type": "project", "id": "apollo"}, 3)


def test_a_binding_that_pauses_and_sets_the_mode_of_calls_says_so() -> None:
    binding = Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", paused=True, call_mode=CallMode.PLAIN)

    shown = checked(BindingView, binding_view(binding))

    assert (shown["enabled"], shown["paused"], shown["call_mode"]) == (None, True, "plain")


@pytest.mark.parametrize("schedule", [None, IntervalSchedule(every_seconds=60), DailySchedule(daily_hour=7)])
@pytest.mark.parametrize("enabled", [True, False, None])
def test_a_binding_is_shown_as_documented(enabled: bool | None, schedule: Schedule | None) -> None:
    binding = Binding(
        "acme", ScopeRef(Scope.USER, "ada"), "noter", enabled, schedule=schedule, updated_at=NOW, updated_by="ada"
    )

    shown = checked(BindingView, binding_view(binding))

    assert (shown["scope"], shown["scope_id"], shown["enabled"]) == ("user", "ada", enabled)
    assert (shown["schedule"] is None) == (schedule is None)
