"""References that hold are kept, and others are kept out with the reason."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import EffectKind
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis, Shown
from shared.domain.effects.evidence import evidence_of

SHOWN = Shown(
    "checkin-1",
    ('{"doc_id": "plan", "text": "Keys are \\"missing\\".\\nAsk Ben today."}', '[{"id": "checkin-0"}]'),
    frozenset({"recent_events"}),
)


def reference(type_: str, id_: str, quote: str | None = None) -> dict[str, Any]:
    return {"type": type_, "id": id_, "quote": quote}


@pytest.mark.parametrize(
    "good",
    [
        reference("event", "checkin-1"),
        reference("event", "checkin-0"),
        reference("document", "plan"),
        reference("document", "plan", "keys ARE  missing"[:8]),
        reference("document", "plan", 'Keys are "missing". Ask Ben'),
        reference("document", "plan", "…ask ben\ntoday."),
        reference("step", "recent_events"),
    ],
)
def test_what_the_agent_was_shown_holds(good: dict[str, Any]) -> None:
    assert evidence_of([good], SHOWN) == ([good], [])


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (reference("event", "checkin-9"), "the Agent was shown no event 'checkin-9'"),
        (reference("document", "pla"), "the Agent was shown no document 'pla'"),
        (reference("step", "project_tickets"), "the Agent was shown no step 'project_tickets'"),
        (reference("document", "plan", "Keys were found."), "what it quotes is in nothing that the Agent was shown"),
        (reference("rumour", "plan"), "'type' is 'rumour'; it must be 'event', 'document' or 'step'."),
        ({"type": "event"}, "'id' is missing."),
        ("checkin-1", "'' must be an object."),
    ],
)
def test_what_it_was_not_shown_is_kept_out_with_the_reason(bad: Any, why: str) -> None:
    kept, left_out = evidence_of([bad, reference("event", "checkin-1")], SHOWN)

    assert [each["reason"] for each in left_out] == [why]
    assert kept == [reference("event", "checkin-1")]


def test_a_wrong_reference_costs_the_entry_nothing_else() -> None:
    entry = {"title": "Reports", "goal": "Figures.", "reasoning": "", "confidence": "low"}
    evidence = [reference("event", "checkin-1"), reference("event", "gone")]

    (effect,) = effects_of({"epics": [{**entry, "evidence": evidence}]}, (EffectKind.EPIC,), Basis({}, shown=SHOWN))

    assert (effect["dropped"], effect["evidence"]) == (None, evidence[:1])
    assert [each["id"] for each in effect["evidence_dropped"]] == ["gone"]


@given(said=st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=4))
def test_any_id_that_stands_in_what_was_shown_is_found_there(said: list[str]) -> None:
    shown = Shown("", tuple(orjson.dumps({"id": each}).decode() for each in said))

    kept, left_out = evidence_of([reference("document", each) for each in said], shown)

    assert ([each["id"] for each in kept], left_out) == (said, [])
