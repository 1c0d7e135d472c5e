"""Merging texts: both changes are in the result, and nothing else is different."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.rebase import rebase, words

TEXTS = st.text(st.sampled_from("ab .\n"), max_size=12)
WORDS = [f"w{number}" for number in range(8)]


@st.composite
def texts_of_words(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw a text and two that were made of it; a word says which of the texts it was written for."""
    base = draw(st.lists(st.sampled_from(WORDS), unique=True, max_size=6))
    gap = st.sampled_from([" ", "\n"])

    def changed(name: str) -> list[str]:
        kept = [word for word in base if draw(st.integers(0, 3))]
        for number in range(draw(st.integers(0, 2))):
            kept.insert(draw(st.integers(0, len(kept))), f"{name}{number}")
        return kept

    def text(parts: list[str]) -> str:
        return "".join(f"{word}{draw(gap)}" for word in parts)

    return text(base), text(changed("c")), text(changed("p"))


@given(base=TEXTS, changed=TEXTS)
def test_what_only_one_side_changed_is_as_that_side_wants_it(base: str, changed: str) -> None:
    assert rebase(base, base, changed) == changed
    assert rebase(base, changed, base) == changed
    assert rebase(base, changed, changed) == changed


@example(("w0 w1 w2\n", "w2 ", "w0 "))
@given(texts_of_words())
def test_every_word_is_there_unless_one_side_removed_it(texts: tuple[str, str, str]) -> None:
    base, current, proposed = (set(text.split()) for text in texts)

    merged = rebase(*texts)

    if merged is not None:
        assert set(merged.split()) == (current - (base - proposed)) | (proposed - base)


@given(TEXTS)
def test_the_words_of_a_text_make_the_text(text: str) -> None:
    assert "".join(words(text)) == text


@pytest.mark.parametrize(
    ("base", "current", "proposed", "merged"),
    [
        ("I like tea.", "I like green tea.", "I really like tea.", "I really like green tea."),
        ("a\nb", "a\nb\nc", "a\nB", "a\nB\nc"),
        ("a\nb\nc", "a\nc", "a\nb\nc\nd", "a\nc\nd"),
        ("a", "a\nb", "", "b"),
        ("a  b\r\nc", "a  b\r\nC", "A  b\r\nc", "A  b\r\nC"),
        ("tea", "coffee", "milk", None),
        ("", "coffee", "milk", None),
        ("a b", "a b c", "a b d", None),
        ("a b c", "a c", "a B c", None),
    ],
)
def test_both_changes_are_kept_unless_they_are_of_the_same_place(
    base: str, current: str, proposed: str, merged: str | None
) -> None:
    assert rebase(base, current, proposed) == merged


def test_very_many_words_in_one_place_are_not_compared() -> None:
    base = " ".join(f"w{number}" for number in range(3_000))

    assert rebase(base, f"c {base}", f"{base} p") is None
