"""Which decisions start a debounced run, and how each trigger's own wait counts."""

from collections.abc import Mapping
from typing import Any

import pytest

from contracts.agents import AgentSpec
from contracts.envelope import Event
from services.gating.gathering import debounced
from services.gating.overlap import Decided
from services.gating.queueing import new_run
from shared.domain.configuration import Configuration
from shared.domain.decide import decide, record
from shared.domain.run import Waiting
from shared.domain.slot import QueueLimits
from shared.store.run_documents import NewRun
from tests.unit.shared.given import NOW, a_spec, a_version, an_event

EDIT = an_event("doc.updated", organisationid="acme", projectid="apollo", userid="ada", data={"doc_id": "plan"})
DOC, TEXT = {"type": "doc", "id": "{data.doc_id}"}, {"type": "text", "id": "{id}"}


def configured(*triggers: Mapping[str, Any]) -> Configuration:
    spec: AgentSpec = a_spec(triggers=[{"event": EDIT.type, **each} for each in triggers])
    configuration = Configuration()
    configuration.replace_agents([a_version(spec)])
    return configuration


def runs_of(event: Event, configuration: Configuration) -> list[NewRun]:
    decisions = decide(event, configuration, NOW)
    limits = QueueLimits(organisation=512)
    return [new_run(event, record(event.key, each), configuration, limits, NOW)[0] for each in decisions]


def waits_of(*triggers: Mapping[str, Any]) -> list[tuple[str, float] | None]:
    runs = runs_of(EDIT, configured(*triggers))
    return [
        None if run.waiting_for is None else (run.waiting_for["what"], (run.waiting_for["until"] - NOW).total_seconds())
        for run in runs
    ]


def test_of_two_triggers_for_one_type_of_event_each_has_its_own_wait() -> None:
    waits = waits_of(
        {"target": DOC, "when": "data.doc_id == 'plan'", "delay_seconds": 30},
        {"target": TEXT},
        {"target": TEXT, "debounce_seconds": 7},
    )

    assert waits == [(Waiting.DELAY, 30), None, (Waiting.DEBOUNCE, 7)]


@pytest.mark.parametrize(
    ("triggers", "expected"),
    [
        ([{"target": DOC}], []),
        ([{"target": DOC, "debounce_seconds": 5}], [5]),
        ([{"target": DOC, "debounce_seconds": 5}, {"target": TEXT, "debounce_seconds": 7}], [5, 7]),
        ([{"target": DOC}, {"target": DOC, "debounce_seconds": 7}], []),
        ([{"target": DOC, "debounce_seconds": 5}, {"target": DOC}], [5]),
    ],
    ids=["without", "one", "of two targets", "the second of one target", "the first of one target"],
)
def test_of_triggers_for_the_same_target_the_first_counts(triggers: list[dict[str, Any]], expected: list[int]) -> None:
    decided: Decided = {EDIT.key: decide(EDIT, configured(*triggers), NOW)}

    assert [debounce.seconds for _, _, debounce in debounced([EDIT], decided)] == expected


def test_the_decision_says_how_its_run_waits() -> None:
    (delayed,) = decide(EDIT, configured({"target": DOC, "delay_seconds": 30}), NOW)
    (waiting,) = decide(EDIT, configured({"target": DOC, "debounce_seconds": 5}), NOW)

    assert record(EDIT.key, delayed)["explanation"] == "noter starts on doc plan in 30 s."
    said = record(EDIT.key, waiting)
    assert (said["debounce_seconds"], said["explanation"]) == (
        5,
        "noter starts on doc plan once nothing more has come for 5 s.",
    )
