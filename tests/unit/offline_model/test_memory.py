"""Proposals for memory."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.offline_model.findings import read
from infra.offline_model.memory import memory_diffs
from tests.unit.offline_model.inputs import CHECKIN, rendered


def diffs(text: str) -> list[dict[str, Any]]:
    return memory_diffs(read(text))


def places(text: str) -> list[tuple[str, str, str]]:
    return [(each["owner"], each["block_label"], each["field"]) for each in diffs(text)]


def values(text: str) -> list[str]:
    return [each["proposed_value"] for each in diffs(text)]


def test_check_in_becomes_proposals_about_its_words() -> None:
    assert places(rendered(CHECKIN)) == [
        ("user", "goals", "current_focus"),
        ("user", "blockers", "legal_approve"),
        ("user", "preferences", "reviews"),
        ("project", "decisions", "ship_import"),
    ]
    assert values(rendered(CHECKIN)) == [
        "Working on the CSV import and will finish APO-12 by Friday.",
        "Waiting for legal to approve the contract.",
        "Prefers reviews before lunch.",
        "Decided to ship the import behind a flag.",
    ]


def test_reasoning_quotes_its_evidence() -> None:
    (diff,) = diffs(rendered({"text": "I prefer tea."}))

    assert diff["reasoning"] == 'The check-in says: "I prefer tea."'


def test_what_the_memory_says_is_not_proposed() -> None:
    text = rendered(
        {"text": "I prefer reviews before lunch. We decided to ship it."},
        memory_of_user="## working_style\nday: Something else.\nPrefers reviews, before lunch!",
        memory_of_project="## decisions\nship: We decided to ship it.",
    )

    assert diffs(text) == []


def test_what_another_owner_remembers_is_proposed() -> None:
    text = rendered({"text": "I prefer tea."}, memory_of_project="## preferences\ntea: Prefers tea.")

    assert len(diffs(text)) == 1


def test_same_thing_in_other_words_is_proposed_once() -> None:
    assert values(rendered({"today": "I prefer tea.", "text": "We all know that. I really prefer tea!"})) == [
        "Prefers tea."
    ]


def test_documents_are_about_the_project() -> None:
    text = rendered({"title": "Plan", "text": "I prefer tea. Owner: Ada."}, type="doc.created")

    assert places(text) == [("project", "working_style", "tea"), ("project", "profile", "owner")]
    assert values(text)[1] == "Plan: Owner: Ada."


def test_archived_document_adds_nothing() -> None:
    assert diffs(rendered({"text": "We decided A."}, type="doc.archived")) == []


def test_nothing_is_proposed_for_an_owner_that_the_event_does_not_name() -> None:
    text = rendered({"text": "I prefer tea. We decided A."}, type="chat.turn_completed", project=None)

    assert [owner for owner, _, _ in places(text)] == ["user"]


def test_new_focus_replaces_the_old_one() -> None:
    text = rendered({"today": "I'm working on B."}, memory_of_user="## goals\ncurrent_focus: Working on A.")

    assert [each["operation"] for each in diffs(text)] == ["replace"]


def test_field_of_several_lines_is_never_replaced() -> None:
    memory = "## goals\ncurrent_focus: Working on A.\nWorking on C."

    text = rendered({"today": "I'm working on B."}, memory_of_user=memory)

    assert [each["operation"] for each in diffs(text)] == ["append"]


def test_hedged_words_give_little_confidence() -> None:
    confidences = [each["confidence"] for each in diffs("I think we decided A. I prefer tea. The goal is on 3 May.")]

    assert confidences == ["low", "high", "medium"]


@given(
    st.lists(st.sampled_from(["I prefer tea.", "We decided A.", "I'm blocked by X.", "Hm.", "The goal is on 3 May."]))
)
def test_approving_everything_leaves_nothing_to_propose(said: list[str]) -> None:
    first = diffs(rendered({"text": " ".join(said)}))
    memory = {
        owner: "".join(
            f"## {each['block_label']}\n{each['field']}: {each['proposed_value']}\n"
            for each in first
            if each["owner"] == owner
        )
        for owner in ("user", "project")
    }

    again = rendered(
        {"text": " ".join(said)}, memory_of_user=memory["user"], memory_of_project=memory["project"] or "(empty)"
    )

    assert diffs(again) == []
