"""What becomes of an entry of each kind but memory."""

from typing import Any

import pytest

from contracts.agents import EffectKind
from contracts.effects import ANSWER_FIELDS, SHAPES
from shared.domain.effect import effects_of
from shared.domain.effects.basis import Basis
from shared.domain.effects.changes import MOST_BYTES

WHY = {"reasoning": "The goal says so.", "confidence": "medium"}
SESSION = "apollo:ada:2026-11-20"
NUMBERED = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
ENTRIES: dict[EffectKind, tuple[dict[str, Any], str, list[str]]] = {
    EffectKind.ROADMAP_ITEM: (
        {"title": "Exports", "description": "Export to CSV.", "when": "2027-Q1", "epic": "Reports"},
        "Add to the roadmap: Exports",
        [],
    ),
    EffectKind.EPIC: (
        {"title": "Reports", "goal": "Customers see their figures.", "ticket_ids": ["A-1", "A-2"]},
        "Add an epic: Reports",
        ["A-1", "A-2"],
    ),
    EffectKind.SNAPSHOT_DRAFT: (
        {
            "title": "Week 47",
            "summary": "Calm.",
            "sections": [{"heading": "Progress", "lines": ["A-1 is done."]}],
            "questions": [],
        },
        "Review the snapshot: Week 47",
        [],
    ),
    EffectKind.DUPLICATE: (
        {"ticket_ids": ["A-1", "A-2", "A-9"], "keep": "A-2"},
        "Keep A-2, close its duplicates: A-1, A-9",
        ["A-1", "A-2", "A-9"],
    ),
    EffectKind.CONFLICT: (
        {"ticket_ids": ["A-1", "A-2"], "explanation": "One removes what the other extends."},
        "Settle a conflict: A-1, A-2",
        ["A-1", "A-2"],
    ),
    EffectKind.SESSION_UPDATE: (
        {"session_id": "chat-7", "text": "The export is late.", "items": ["Ask Ben."]},
        "Say in the session",
        [],
    ),
    EffectKind.CUSTOM: ({"title": "Renumber", "content": {"number": 3}}, "Renumber", []),
}


def effect_of(kind: EffectKind, **changes: Any) -> dict[str, Any]:
    entry, _, _ = ENTRIES[kind]
    basis = Basis({}, session_id=SESSION, proposal_schema=NUMBERED)
    (effect,) = effects_of({ANSWER_FIELDS[kind]: [{**entry, **WHY, **changes}]}, (kind,), basis)
    return effect


@pytest.mark.parametrize("kind", ENTRIES)
def test_an_entry_becomes_a_change_of_what_its_kind_says(kind: EffectKind) -> None:
    entry, title, ticket_ids = ENTRIES[kind]

    effect = effect_of(kind, something="else")

    assert (effect["dropped"], effect["kind"], effect["title"]) == (None, kind.value, title)
    assert (effect["change"], effect["ticket_ids"]) == (entry, ticket_ids)
    assert (effect["reasoning"], effect["confidence"], effect["base_version"]) == ("The goal says so.", "medium", None)


def test_every_kind_of_proposal_has_a_shape_and_a_field_of_its_own() -> None:
    assert set(SHAPES) == set(ANSWER_FIELDS) == set(EffectKind) - {EffectKind.SESSION_MESSAGE}
    assert len(set(ANSWER_FIELDS.values())) == len(ANSWER_FIELDS)


@pytest.mark.parametrize(
    ("kind", "changes", "why"),
    [
        (EffectKind.DUPLICATE, {"ticket_ids": ["A-2"]}, "'ticket_ids' has 1 entries; at least 2 must be there."),
        (EffectKind.DUPLICATE, {"ticket_ids": ["A-2", "A-2"]}, "'ticket_ids': names a ticket twice; name each once."),
        (EffectKind.DUPLICATE, {"keep": "B-1"}, "'keep': 'B-1' is not one of ticket_ids; keep one of those."),
        (EffectKind.CONFLICT, {"ticket_ids": []}, "'ticket_ids' has 0 entries; at least 1 must be there."),
        (EffectKind.EPIC, {"title": " "}, "'title' has 1 characters; at least 1 must be there."),
        (EffectKind.SNAPSHOT_DRAFT, {"sections": []}, "'sections' has 0 entries; at least 1 must be there."),
        (EffectKind.ROADMAP_ITEM, {"confidence": "sure"}, "'confidence' is 'sure'; it must be 'low', 'medium' or 'high'."),
        (
            EffectKind.CUSTOM,
            {"content": {"number": "three"}},
            "content does not satisfy proposal_schema: $.number: 'three' is not of type 'integer'",
        ),
    ],
)  # fmt: skip
def test_an_entry_that_is_wrong_is_dropped_and_says_why(kind: EffectKind, changes: dict[str, Any], why: str) -> None:
    assert effect_of(kind, **changes)["dropped"] == why


def test_a_session_that_is_not_named_is_the_one_that_the_run_is_about() -> None:
    assert effect_of(EffectKind.SESSION_UPDATE, session_id=None)["change"]["session_id"] == SESSION


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            {"session_updates": [{"session_id": None, "text": "Late.", **WHY}]},
            "session_id is null, and the run is about no daily session",
        ),
        ({"custom_proposals": [{"title": "Any", "content": 1, **WHY}]}, "the Agent version has no proposal_schema"),
        (
            {"ticket_changes": [{"action": "close", "ticket_id": None, "title": "A", "change": "B", **WHY}]},
            "ticket_id is null, so there is no ticket to close",
        ),
    ],
)
def test_what_the_run_does_not_have_is_asked_for_by_name(answer: dict[str, Any], why: str) -> None:
    (effect,) = effects_of(answer, tuple(EffectKind), Basis({}))

    assert effect["dropped"] == why


def test_a_change_that_no_event_can_hold_is_dropped() -> None:
    effect = effect_of(EffectKind.SNAPSHOT_DRAFT, sections=[{"heading": "All", "lines": ["x" * 50_000] * 5}])

    assert effect["dropped"].endswith(f"bytes of JSON; at most {MOST_BYTES:,} are allowed")
