"""Reading rendered inputs."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.offline_model.sections import Passage, Remembered, read_material
from tests.unit.offline_model.inputs import CHECKIN, rendered


def test_text_without_sections_is_one_passage() -> None:
    material = read_material("Hello there.")

    assert material.passages == (Passage("text", "Hello there."),)
    assert material.event == {}


def test_facts_of_the_event_are_read() -> None:
    material = read_material(rendered(CHECKIN, project=None))

    assert material.event == {
        "id": "event-1",
        "type": "checkin.submitted",
        "user": "ada",
        "time": "2026-11-20T09:00:00Z",
    }


def test_texts_are_passages_and_ids_are_not() -> None:
    material = read_material(rendered(CHECKIN))

    assert [each.place for each in material.passages] == ["yesterday", "today", "blockers", "text"]


def test_only_what_users_say_in_a_chat_is_evidence() -> None:
    chat = {"messages": [{"role": "user", "text": "mine"}, {"role": "assistant", "text": "not mine"}]}

    assert read_material(rendered(chat)).passages == (Passage("message", "mine"),)


def test_memory_is_read_by_owner_label_and_field() -> None:
    text = rendered(
        {},
        memory_of_user="## preferences\nmeetings: Prefers mornings.\nAnd short ones.\nfood: Tea.\n\n## goals\nnow: CSV.",
        memory_of_project="## decisions\ndatabase: Postgres.",
    )

    assert read_material(text).memory == (
        Remembered("user", "preferences", "meetings", "Prefers mornings.\nAnd short ones."),
        Remembered("user", "preferences", "food", "Tea."),
        Remembered("user", "goals", "now", "CSV."),
        Remembered("project", "decisions", "database", "Postgres."),
    )


def test_empty_memory_is_no_memory() -> None:
    assert read_material(rendered({})).memory == ()


def test_content_that_is_no_json_is_read_as_text() -> None:
    text = "# Event\ntype: doc.created\n\n# Content\nJust words.\n"

    assert read_material(text).passages == (Passage("text", "Just words."),)


texts = st.text(max_size=40)


# The depth is what matters; a hundred leaves only take longer.
values = st.recursive(
    st.none() | st.booleans() | texts, lambda inner: st.dictionaries(texts, inner) | st.lists(inner), max_leaves=20
)


@given(values)
def test_any_data_can_be_read_and_never_becomes_memory(data: Any) -> None:
    material = read_material(rendered(data))

    assert material.data == data
    assert material.memory == ()


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    read_material(text)
