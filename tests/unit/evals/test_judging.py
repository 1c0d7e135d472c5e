"""What an answer is held against."""

from typing import Any

import pytest

from contracts.effects import EffectKind
from infra.evals.case import Case
from infra.evals.judging import judge

Document = dict[str, Any]
KINDS = (EffectKind.MEMORY_DIFF, EffectKind.TICKET_CHANGE)
MEMORY = {
    "kind": "memory_diff",
    "dropped": None,
    "change": {
        "owner": {"type": "user", "id": "ada"},
        "block_label": "preferences",
        "proposed_value": "Reads before noon.",
    },
}
CLOSE = {"kind": "ticket_change", "dropped": None, "change": {"action": "close", "ticket_id": "T-1", "change": "Done."}}


def a_case(**expected: Any) -> Case:
    return Case.model_validate({"id": "a-case", "about": "", **expected})


def passes(case: Case, output: Document | None = None, *effects: Document) -> bool:
    return judge(case, KINDS, output or {}, effects).passed


@pytest.mark.parametrize(
    ("pattern", "is_found"),
    [
        ({"kind": "memory_diff"}, True),
        ({"kind": "memory_diff", "where": {"owner": "user"}}, True),
        ({"kind": "memory_diff", "where": {"owner": "project"}}, False),
        ({"kind": "memory_diff", "says": "BEFORE noon"}, True),
        ({"kind": "memory_diff", "says": "after noon"}, False),
        ({"kind": "ticket_change"}, False),
        ({"in": "memory_diffs", "says": "noon"}, True),
        ({"says": "noon"}, True),
    ],
)
def test_a_pattern_is_found_where_all_of_it_holds(pattern: Document, is_found: bool) -> None:
    assert passes(a_case(must=[pattern]), None, MEMORY) is is_found
    assert passes(a_case(must_not=[pattern]), None, MEMORY) is not is_found


def test_parts_of_an_answer_are_found_at_any_depth() -> None:
    output = {
        "coaching": "Ask Mara.",
        "drafts": [{"title": "Week", "sections": [{"heading": "Risks", "lines": ["APO-1"]}]}],
    }

    assert passes(a_case(must=[{"in": "coaching", "says": "mara"}]), output)
    assert passes(a_case(must=[{"in": "sections", "where": {"heading": "Risks"}, "says": "APO-1"}]), output)
    assert not passes(a_case(must=[{"in": "sections", "says": "APO-2"}]), output)
    assert not passes(a_case(must=[{"says": "mara"}]), output)


def test_of_a_list_all_that_is_named_has_to_be_there() -> None:
    output = {"duplicates": [{"ticket_ids": ["T-1", "T-2", "T-3"]}]}

    assert passes(a_case(must=[{"in": "duplicates", "where": {"ticket_ids": ["T-3", "T-1"]}}]), output)
    assert passes(a_case(must=[{"in": "duplicates", "where": {"ticket_ids": "T-2"}}]), output)
    assert not passes(a_case(must=[{"in": "duplicates", "where": {"ticket_ids": ["T-1", "T-4"]}}]), output)


def test_what_was_dropped_is_no_proposal() -> None:
    dropped = {**CLOSE, "dropped": "the ticket does not exist"}

    assert passes(a_case(nothing=True), None, dropped)
    assert not passes(a_case(nothing=True), None, CLOSE)


def test_what_is_only_said_in_a_session_is_not_nothing_and_no_harm() -> None:
    said = {"kind": "session_update", "dropped": None, "change": {"text": "Good morning."}}

    assert passes(a_case(nothing=True), None, said)


def test_there_may_be_so_many_of_a_kind_or_of_a_list() -> None:
    assert passes(a_case(most={"ticket_change": 1, "focus": 1}), {"focus": [{"title": "One"}]}, CLOSE)
    assert not passes(a_case(most={"ticket_change": 1}), None, CLOSE, CLOSE)
    assert not passes(a_case(most={"focus": 1}), {"focus": [{"title": "One"}, {"title": "Two"}]})


def test_welcome_is_what_was_asked_for_or_allowed() -> None:
    case = a_case(must=[{"kind": "memory_diff"}], may=[{"kind": "ticket_change", "where": {"action": "open"}}])

    judgement = judge(case, KINDS, {}, [MEMORY, CLOSE])

    assert (judgement.proposals, judgement.welcome) == (2, 1)
    assert judgement.passed
