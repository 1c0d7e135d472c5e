"""Looking at prose."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.offline_model.prose import LONGEST_SENTENCE, dates, links, sentences, slug, tickets


def test_sentences_of_prose_and_lists_are_told_apart() -> None:
    text = "First one. Second one!\n- a point\n2) another\n\n* [ ] todo"

    assert list(sentences(text)) == ["First one.", "Second one!", "a point", "another", "[ ] todo"]


def test_headings_and_code_are_left_out() -> None:
    assert list(sentences("# Title\n```\ncode here\n```\nText.")) == ["Text."]


def test_abbreviations_in_lower_case_do_not_end_a_sentence() -> None:
    assert list(sentences("Use e.g. tea. It helps.")) == ["Use e.g. tea.", "It helps."]


def test_tickets_are_found_and_standards_are_not() -> None:
    assert tickets("APO-12, then APO-12 and X1-3; ticket 77, in UTF-8 by ISO-8601") == ("APO-12", "X1-3", "77")


@pytest.mark.parametrize(
    "date",
    [
        "2026-11-20",
        "12 March",
        "3rd of May 2026",
        "Nov 5, 2026",
        "by Friday",
        "tomorrow",
        "end of the month",
        "next week",
    ],
)
def test_date_is_found_in_its_own_words(date: str) -> None:
    assert dates(f"We ship it {date}, I hope.") == (date,)


def test_words_like_may_are_no_dates() -> None:
    assert dates("It may work on a weekday.") == ()


def test_links_end_before_punctuation() -> None:
    assert links("See https://example.com/a?b=1, or (http://example.com).") == (
        "https://example.com/a?b=1",
        "http://example.com",
    )


@given(st.text())
def test_slug_is_always_a_name(text: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", slug(text))


@given(st.text(max_size=2_000))
def test_sentences_are_never_empty_or_endless(text: str) -> None:
    assert all(0 < len(each) <= LONGEST_SENTENCE for each in sentences(text))
