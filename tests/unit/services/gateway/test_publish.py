"""What a publisher is answered."""

from contracts.agents import Scope
from contracts.lanes import Lane
from services.gateway.intake import Readable
from services.gateway.publish import Published, answer
from services.gateway.views import PublishAnswer
from shared.domain.binding import ScopeRef
from shared.domain.decide import record
from shared.domain.decision import Reason, RunDecided, Skipped, Target
from shared.domain.event import accepted_event
from tests.unit.shared.given import NOW, an_event

EVENT = an_event(id="one")
OTHER = an_event(id="other")


def readable(index: int, event: object = EVENT) -> Readable:
    assert event in (EVENT, OTHER)
    known = EVENT if event is EVENT else OTHER
    return Readable(index, accepted_event(known, known.to_json().decode(), NOW))


def test_what_started_and_what_did_not_is_answered_with_the_reason() -> None:
    decisions = [
        record(EVENT.key, RunDecided("noter", 3, Target("doc", "plan"), Lane.LOW, None)),
        record(EVENT.key, Skipped("reader", 1, Reason.DISABLED, ScopeRef(Scope.USER, "ada"))),
    ]

    answered = answer(Published([readable(0)], [], {EVENT.key: decisions}))

    PublishAnswer.model_validate(answered, strict=True)
    (event,) = answered["events"]
    assert (event["id"], event["pending"]) == ("one", False)
    assert [(each["agent_key"], each["outcome"]) for each in event["decisions"]] == [
        ("noter", "run"),
        ("reader", "skipped"),
    ]
    assert event["agent_runs"] == answered["agent_runs"]
    assert answered["agent_runs"] == [
        {
            "id": decisions[0]["run_id"],
            "agent_key": "noter",
            "agent_version": 3,
            "status": "queued",
            "target": {"type": "doc", "id": "plan"},
        }
    ]


def test_an_event_that_the_gate_has_not_answered_is_pending() -> None:
    answered = answer(Published([readable(0), readable(2, OTHER)], [], {EVENT.key: []}))

    PublishAnswer.model_validate(answered, strict=True)
    assert [(each["index"], each["pending"]) for each in answered["events"]] == [(0, False), (2, True)]
    assert answered["agent_runs"] == []
