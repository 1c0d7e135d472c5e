"""What is told about a run: it must be an event that everybody can parse, whatever the run."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.registry import parse_json
from contracts.runs import RunData
from contracts.subjects import last_id
from shared.catalog.builtin import builtin_agents
from shared.domain.run import ACTIVE, TERMINAL, RunError, RunStatus
from shared.domain.run_event import run_event
from shared.domain.target import target_of
from shared.store.run_documents import error_document
from tests.unit.shared.given import IDENTIFIERS, LATER, NOW, a_new_run, a_stored_run, an_event

TYPES = {
    RunStatus.QUEUED: "run.queued",
    RunStatus.RUNNING: "run.started",
    RunStatus.COMPLETED: "run.completed",
    RunStatus.FAILED: "run.failed",
    RunStatus.CANCELLED: "run.cancelled",
}
PLACES = st.fixed_dictionaries(
    {
        "organisation": IDENTIFIERS,
        "project": st.none() | IDENTIFIERS,
        "user": st.none() | IDENTIFIERS,
        "agent_key": st.from_regex(r"\A[a-z][a-z0-9_\-]{0,63}\Z"),
    }
)


@pytest.mark.parametrize("status", RunStatus)
@given(places=PLACES)
def test_it_parses_as_the_event_of_its_status(status: RunStatus, places: dict[str, Any]) -> None:
    told = run_event(a_stored_run(status, a_new_run(**places)))

    event = parse_json(told.json)

    assert event.type == TYPES[status]
    assert (event.organisationid, event.projectid, event.userid) == tuple(
        places[name] for name in ("organisation", "project", "user")
    )
    assert event.id == told.id
    assert last_id(told.subject) == "run_1"


@pytest.mark.parametrize("status", RunStatus)
def test_it_says_how_far_the_run_is(status: RunStatus) -> None:
    event = parse_json(run_event(a_stored_run(status)).json)

    data = event.data
    assert isinstance(data, RunData)
    assert (data.run_id, data.status, data.queued_at) == ("run_1", status, NOW)
    assert data.attempt == (0 if status is RunStatus.QUEUED else 1)
    assert (data.finished_at == LATER) == (status in TERMINAL)
    assert event.time == (NOW if status is RunStatus.QUEUED else LATER)


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_a_run_that_is_tried_again_tells_why(status: RunStatus) -> None:
    error = error_document(RunError("model_rate_limited", "Too many calls."))
    usage = {"input_tokens": 5, "output_tokens": 6, "model_calls": 7}
    run = a_stored_run(status, attempt=2, started_at=NOW, changed_at=LATER, error=error, usage=usage)

    data = parse_json(run_event(run).json).data

    assert data.error is not None
    assert (data.error.code, data.attempt, data.usage.model_calls) == ("model_rate_limited", 2, 7)


def test_a_run_that_was_cancelled_before_any_runner_had_it_can_be_told() -> None:
    run = a_stored_run(status=RunStatus.QUEUED) | {
        "status": RunStatus.CANCELLED,
        "finished_at": LATER,
        "changed_at": LATER,
        "error": error_document(RunError("agent_disabled", "noter is disabled by the binding of user ada.")),
    }

    assert parse_json(run_event(run).json).type == "run.cancelled"


@pytest.mark.parametrize("event_type", ["checkin.submitted", "doc.updated", "chat.turn_completed"])
def test_targets_of_the_built_in_agents_can_be_told_for_the_longest_ids(event_type: str) -> None:
    event = an_event(event_type, id="i" * 128, projectid="p" * 128, userid="u" * 128)
    rules = [trigger.target for spec in builtin_agents(900) for trigger in spec.triggers if trigger.event == event_type]

    for rule in rules:
        told = run_event(a_stored_run(run=a_new_run(target=target_of(rule, event))))
        assert parse_json(told.json).data.target.id == target_of(rule, event).id


def test_each_fact_of_a_run_has_an_id_of_its_own() -> None:
    facts = [a_stored_run(), a_stored_run(RunStatus.RUNNING), a_stored_run(RunStatus.RUNNING, attempt=2)]

    assert len({run_event(fact).id for fact in [*facts, a_stored_run(RunStatus.COMPLETED)]}) == 4
    assert run_event(a_stored_run()) == run_event(a_stored_run())


def test_attributes_that_are_not_set_are_left_out() -> None:
    told = orjson.loads(run_event(a_stored_run(run=a_new_run(project=None, user=None))).json)

    assert not {"projectid", "userid"} & told.keys()
    assert None not in {name: value for name, value in told.items() if name != "data"}.values()
