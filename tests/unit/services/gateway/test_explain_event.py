"""What became of an event, in words, with what is behind each decision."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from contracts.agents import AgentSpec, Scope
from services.gateway.answers import json_answer
from services.gateway.explain_event import EventExplainAnswer, EventSurroundings, event_summary, explained_event
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.decide import DecisionRecord, record
from shared.domain.decision import Coalesced, Reason, Skipped, Target
from shared.domain.run import RunStatus
from tests.unit.shared.given import NOW, a_run_decided, a_spec, a_stored_run, a_version

EVENT: dict[str, Any] = {
    "_id": "ev_1",
    "id": "edit-1",
    "type": "doc.updated",
    "organisation": "acme",
    "project": "apollo",
    "user": "ada",
    "accepted_at": NOW,
    "gated_at": NOW,
    "gated": True,
}
APOLLO = ScopeRef(Scope.PROJECT, "apollo")
STARTED = record("ev_1", a_run_decided("reviewer"))
TAKEN = record("ev_1", Coalesced("reviewer", 1, Target("doc", "plan"), None, into="run_7"))
DISABLED = record("ev_1", Skipped("reviewer", 1, Reason.DISABLED, APOLLO))
TRIGGER = {
    "event": "doc.updated",
    "when": "data.doc_id == 'plan'",
    "target": {"type": "doc", "id": "{data.doc_id}"},
    "debounce_seconds": 5,
}
HOURS = {"start": "09:00", "end": "17:00"}
REVIEWER = a_spec("reviewer", triggers=[TRIGGER], active_hours=HOURS)


def decided(*decisions: DecisionRecord, **changes: Any) -> dict[str, Any]:
    return EVENT | {"decisions": list(decisions)} | changes


def around(*bindings: Binding, spec: AgentSpec = REVIEWER, **changes: Any) -> EventSurroundings:
    configuration = Configuration()
    configuration.replace_agents([a_version(spec)])
    configuration.replace_bindings(bindings)
    return replace(EventSurroundings(NOW, configuration), **changes)


def shown(event: dict[str, Any], surroundings: EventSurroundings) -> dict[str, Any]:
    """Return what a client reads, after checking it against the class that documents it."""
    body: dict[str, Any] = orjson.loads(json_answer(explained_event(event, surroundings)).body)
    EventExplainAnswer.model_validate(body)
    return body


SUMMARIES: dict[str, tuple[dict[str, Any], str]] = {
    "decided": (
        decided(STARTED, TAKEN, DISABLED, DISABLED),
        "It started 1 run, 1 waiting run took it, 2 Agents did not start.",
    ),
    "nobody": (decided(), "Nothing started: no published Agent has a trigger for doc.updated."),
    "late": (
        EVENT | {"gated": False},
        "It was accepted 9 s ago and is not decided yet: is gating at work, and NATS? GET /health/ready",
    ),
    "dead": (
        EVENT | {"gated": False, "dead_letter": "dead_1"},
        "The gate could not handle it: /api/dead-letters/dead_1 says why, and redrives it.",
    ),
}


@pytest.mark.parametrize(("event", "summary"), SUMMARIES.values(), ids=SUMMARIES)
def test_one_sentence_says_what_became_of_it(event: dict[str, Any], summary: str) -> None:
    assert event_summary(event, NOW + timedelta(seconds=9)) == summary


def test_a_skipped_one_names_its_binding_with_who_wrote_it_its_filter_and_its_hours() -> None:
    binding = Binding("acme", APOLLO, "reviewer", enabled=False, updated_at=NOW, updated_by="olga")

    (explained,) = shown(decided(DISABLED), around(binding))["decisions"]

    assert explained["words"] == [
        "The binding of project apollo decided it; olga wrote it last, at 2026-11-20 09:00:00 UTC.",
        "Its trigger is for doc.updated on doc {data.doc_id}, filter `data.doc_id == 'plan'`, debounce 5 s.",
        "It is active 09:00 to 17:00 UTC.",
    ]
    assert (explained["binding"]["updated_by"], explained["triggers"][0]["debounce_seconds"]) == ("olga", 5)


def test_a_binding_that_is_gone_and_a_version_that_is_not_published_any_more_are_not_made_up() -> None:
    (explained,) = shown(decided(DISABLED | {"agent_version": 9}), around())["decisions"]

    assert "The binding of project apollo decided it; it is not there any more." in explained["words"]
    assert (explained["binding"], explained["triggers"]) == (None, [])


def test_a_started_run_is_told_with_its_state_and_its_proposals() -> None:
    run = a_stored_run(RunStatus.COMPLETED, _id=STARTED["run_id"], event_key="ev_1")
    proposal = {"_id": "prp_1", "kind": "memory_diff", "title": "Remember it", "status": "pending"}
    surroundings = around(runs={run["_id"]: run}, proposals={run["_id"]: [proposal]})

    (explained,) = shown(decided(STARTED), surroundings)["decisions"]

    assert explained["words"][-1] == "It proposed: prp_1 (memory_diff, pending)."
    assert explained["words"][-2].startswith(f"Run {run['_id']} is completed. It completed at 2026-11-20 09:00:07 UTC")
    assert (explained["run"]["id"], explained["proposals"][0]["id"]) == (run["_id"], "prp_1")


@pytest.mark.parametrize(
    ("decision", "runs", "sentence"),
    [
        (
            TAKEN,
            {"run_7": a_stored_run(_id="run_7", event_id="edit-9", event_key="ev_9")},
            "It works on the event edit-9.",
        ),
        (TAKEN, {}, "Run run_7 is not yours to see, or not stored yet."),
        (STARTED | {"is_retired": True}, {}, "was deleted with age."),
        (TAKEN, {"run_7": a_stored_run(RunStatus.COMPLETED, _id="run_7")}, "It proposed nothing."),
    ],
    ids=["coalesced", "of another", "retired", "no proposals"],
)
def test_what_became_of_the_run_is_told(decision: DecisionRecord, runs: dict[str, Any], sentence: str) -> None:
    (explained,) = shown(decided(decision), around(runs=runs))["decisions"]

    assert sentence in " ".join(explained["words"])
