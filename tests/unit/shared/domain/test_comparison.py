"""Two documents compared field by field."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.comparison import Change, changes

DOCUMENTS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(st.none() | st.booleans() | st.integers(0, 2), lambda inner: st.lists(inner, max_size=2)),
)


def test_fields_are_named_by_their_paths_with_what_they_were_and_are() -> None:
    old = {"name": "Noter", "model": {"tier": "fast", "mode": None}, "tags": ["a"], "gone": 1}
    new = {"name": "Noter", "model": {"tier": "reasoning", "mode": None}, "tags": ["a", "b"], "more": True}

    assert changes(old, new) == [
        Change("model.tier", "fast", "reasoning"),
        Change("tags", ["a"], ["a", "b"]),
        Change("more", None, True),
        Change("gone", 1, None),
    ]


def test_a_number_that_became_true_is_a_change() -> None:
    assert changes({"strict": 1}, {"strict": True}) == [Change("strict", 1, True)]


@given(DOCUMENTS)
def test_nothing_differs_from_itself(document: dict[str, object]) -> None:
    assert changes(document, document) == []


@given(DOCUMENTS, DOCUMENTS)
def test_the_other_way_round_old_and_new_change_places(old: dict[str, object], new: dict[str, object]) -> None:
    there = {(change.field, str(change.old), str(change.new)) for change in changes(old, new)}
    back = {(change.field, str(change.new), str(change.old)) for change in changes(new, old)}

    assert there == back
