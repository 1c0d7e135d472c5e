"""What differs between texts, word by word."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.text_diff import Part, Piece, fields_diff, text_diff

TEXTS = st.text(st.sampled_from("ab .\n"), max_size=20)


@given(before=TEXTS, after=TEXTS)
def test_the_pieces_make_both_texts(before: str, after: str) -> None:
    pieces = text_diff(before, after)

    assert "".join(each.text for each in pieces if each.part is not Part.ADDED) == before
    assert "".join(each.text for each in pieces if each.part is not Part.REMOVED) == after


def test_whole_words_differ() -> None:
    assert text_diff("I like tea.", "I like teas.") == [
        Piece(Part.SAME, "I like "),
        Piece(Part.REMOVED, "tea"),
        Piece(Part.ADDED, "teas"),
        Piece(Part.SAME, "."),
    ]


def test_only_fields_that_differ_are_named_and_a_missing_one_has_no_text() -> None:
    assert fields_diff({"a": "1", "b": "2"}, {"b": "2", "c": "3"}) == {
        "a": [Piece(Part.REMOVED, "1")],
        "c": [Piece(Part.ADDED, "3")],
    }
