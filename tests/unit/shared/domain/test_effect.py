"""Effects: what an answer asks for, made ready to become proposals, or kept with the reason why not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import EffectKind, MemoryOwner
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis, SeenBlock

OWNERS: dict[MemoryOwner, str | None] = {MemoryOwner.USER: "ada", MemoryOwner.PROJECT: "apollo"}
BOTH = (EffectKind.MEMORY_DIFF, EffectKind.TICKET_CHANGE)
SEEN = SeenBlock(MemoryOwner.USER, "ada", "preferences", 4, {"reviews": "evenings"})


def diff(**changes: Any) -> dict[str, Any]:
    item = {
        "owner": "user",
        "block_label": "preferences",
        "field": "reviews",
        "operation": "replace",
        "proposed_value": "mornings",
        "reasoning": "Ada said so.",
        "confidence": "high",
    }
    return item | changes


def ticket(**changes: Any) -> dict[str, Any]:
    item = {
        "action": "open",
        "ticket_id": None,
        "title": "Renew the key",
        "change": "Renew it before Tuesday.",
        "reasoning": "It expired.",
        "confidence": "medium",
    }
    return item | changes


def only(*items: dict[str, Any], seen: tuple[SeenBlock, ...] = (SEEN,)) -> dict[str, Any]:
    (effect,) = effects_of({"memory_diffs": list(items)}, BOTH, Basis(OWNERS, seen))
    return effect


def test_a_memory_diff_carries_the_text_and_the_version_that_were_seen() -> None:
    effect = only(diff())

    assert effect["base_version"] == 4
    assert effect["change"] == {
        "owner": {"type": "user", "id": "ada"},
        "block_label": "preferences",
        "field": "reviews",
        "operation": "replace",
        "current_value": "evenings",
        "proposed_value": "mornings",
    }
    assert effect["title"] == "Remember in user preferences.reviews"
    assert (effect["reasoning"], effect["confidence"], effect["dropped"]) == ("Ada said so.", "high", None)


def test_a_block_that_was_not_there_is_empty_at_version_0() -> None:
    effect = only(diff(block_label="plans"))

    assert (effect["base_version"], effect["change"]["current_value"]) == (0, "")


def test_a_field_that_was_not_there_is_empty_at_the_version_of_its_block() -> None:
    effect = only(diff(field="standups"))

    assert (effect["base_version"], effect["change"]["current_value"]) == (4, "")


def test_a_block_of_the_other_owner_with_the_same_label_is_not_taken() -> None:
    effect = only(diff(owner="project"))

    assert (effect["base_version"], effect["change"]["current_value"]) == (0, "")
    assert effect["change"]["owner"] == {"type": "project", "id": "apollo"}


def test_memory_of_somebody_the_event_does_not_name_is_dropped() -> None:
    (effect,) = effects_of({"memory_diffs": [diff()]}, BOTH, Basis({**OWNERS, MemoryOwner.USER: None}))

    assert effect["dropped"] == "the event names no user, so there is no such memory"


@pytest.mark.parametrize("field", ["block_label", "field"])
@pytest.mark.parametrize("name", ["", "Notes", "2nd", "with space", "a.b", "$set", "a" * 65, "notes\n", "é"])
def test_a_name_that_is_not_in_snake_case_is_dropped(field: str, name: str) -> None:
    dropped = only(diff(**{field: name}))["dropped"]

    assert dropped is not None
    assert dropped.startswith(f"{field} '{name[:64]}")


def test_what_the_memory_says_already_is_dropped() -> None:
    assert only(diff(proposed_value="evenings"))["dropped"] == "the memory says this already"


def test_a_ticket_change_keeps_what_the_change_is() -> None:
    (effect,) = effects_of({"ticket_changes": [ticket()]}, BOTH, Basis(OWNERS))

    assert effect["title"] == "Open ticket: Renew the key"
    assert effect["change"] == {
        "action": "open",
        "ticket_id": None,
        "title": "Renew the key",
        "change": "Renew it before Tuesday.",
    }
    assert (effect["base_version"], effect["dropped"]) == (None, None)


def test_a_kind_that_the_agent_may_not_have_is_ignored() -> None:
    answer = {"memory_diffs": [diff()], "ticket_changes": [ticket()]}

    assert effects_of(answer, (), Basis(OWNERS)) == ()
    assert [effect["kind"] for effect in effects_of(answer, (EffectKind.TICKET_CHANGE,), Basis(OWNERS))] == [
        "ticket_change"
    ]


@pytest.mark.parametrize("answer", [{}, {"memory_diffs": []}, {"memory_diffs": None}])
def test_an_answer_that_asks_for_nothing_has_no_effects(answer: dict[str, Any]) -> None:
    assert effects_of(answer, BOTH, Basis(OWNERS)) == ()


@given(diffs=st.integers(0, 4), tickets=st.integers(0, 4), bad=st.sets(st.integers(0, 3)))
def test_effects_are_numbered_from_0_and_none_gets_lost(diffs: int, tickets: int, bad: set[int]) -> None:
    items = [diff(field="NOT OK" if place in bad else f"field_{place}") for place in range(diffs)]

    effects = effects_of({"memory_diffs": items, "ticket_changes": [ticket()] * tickets}, BOTH, Basis(OWNERS, (SEEN,)))

    assert [effect["index"] for effect in effects] == list(range(diffs + tickets))
    assert [effect["dropped"] is not None for effect in effects[:diffs]] == [place in bad for place in range(diffs)]


def test_an_entry_that_is_not_of_its_kind_is_dropped_and_says_which_field() -> None:
    answer = {"ticket_changes": [ticket(action="rename"), "close it"], "epics": "none", "memory_diffs": [{}]}

    effects = effects_of(answer, (*BOTH, EffectKind.EPIC), Basis(OWNERS))

    assert [(effect["kind"], effect["dropped"]) for effect in effects] == [
        ("memory_diff", "'reasoning' is missing."),
        ("ticket_change", "'action' is 'rename'; it must be 'open', 'update' or 'close'."),
        ("ticket_change", "it is no object"),
        ("epic", "it is no object"),
    ]
