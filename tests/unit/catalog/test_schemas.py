"""What the schemas of proposals accept and refuse."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.agents import MemoryOwner
from shared.catalog import schemas

DIFF: dict[str, Any] = {
    "owner": "user",
    "block_label": "preferences",
    "field": "meetings",
    "operation": "append",
    "proposed_value": "Prefers mornings.",
    "reasoning": 'The check-in says: "I prefer mornings."',
    "confidence": "high",
    "evidence": [{"type": "event", "id": "checkin-1", "quote": "I prefer mornings."}],
}
CHANGE: dict[str, Any] = {
    "action": "open",
    "ticket_id": None,
    "title": "Write the migration guide",
    "change": "The guide is missing.",
    "reasoning": 'The check-in says: "we need a guide".',
    "confidence": "medium",
    "evidence": [{"type": "step", "id": "recent_events", "quote": None}],
}
DIFFS = Draft202012Validator(schemas.memory_diffs((MemoryOwner.USER, MemoryOwner.PROJECT), 2))
CHANGES = Draft202012Validator(schemas.ticket_changes(2))


@pytest.mark.parametrize("change", [{}, {"owner": "project"}, {"operation": "replace"}, {"block_label": "own_label"}])
def test_memory_diff_is_accepted(change: dict[str, Any]) -> None:
    assert DIFFS.is_valid([{**DIFF, **change}])


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "organisation"},
        {"operation": "llm_diff"},
        {"block_label": "Own Label"},
        {"field": ""},
        {"proposed_value": ""},
        {"proposed_value": "  "},
        {"confidence": 0.9},
        {"evidence": None},
        {"evidence": [{"type": "rumour", "id": "1", "quote": None}]},
        {"extra": 1},
    ],
)
def test_memory_diff_is_refused(change: dict[str, Any]) -> None:
    assert not DIFFS.is_valid([{**DIFF, **change}])


def test_owner_outside_the_given_ones_is_refused() -> None:
    only_project = Draft202012Validator(schemas.memory_diffs((MemoryOwner.PROJECT,), 2))

    assert not only_project.is_valid([DIFF])


@pytest.mark.parametrize("change", [{}, {"action": "close", "ticket_id": "APO-1"}])
def test_ticket_change_is_accepted(change: dict[str, Any]) -> None:
    assert CHANGES.is_valid([{**CHANGE, **change}])


@pytest.mark.parametrize("change", [{"action": "delete"}, {"ticket_id": 7}, {"title": ""}, {"extra": 1}])
def test_ticket_change_is_refused(change: dict[str, Any]) -> None:
    assert not CHANGES.is_valid([{**CHANGE, **change}])


def test_more_proposals_than_allowed_are_refused() -> None:
    assert not DIFFS.is_valid([DIFF] * 3)
    assert not CHANGES.is_valid([CHANGE] * 3)
