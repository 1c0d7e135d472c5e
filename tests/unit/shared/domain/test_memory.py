"""Whether a proposed memory diff still fits, and what it does to the text that is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import MemoryOwner
from shared.domain.memory import Fits, Operation, Owner, Stale, block_id, fit, with_text

TEXTS = st.text(st.sampled_from("ab \n"), max_size=8)
OVERWRITING = st.sampled_from([Operation.REPLACE, Operation.LLM_DIFF])


def appended(proposed: str, current: str, seen: str = "") -> str:
    fitting = fit(Operation.APPEND, seen, proposed, current)
    assert isinstance(fitting, Fits)
    return fitting.text


@given(operation=OVERWRITING, seen=TEXTS, proposed=TEXTS)
def test_overwriting_fits_the_text_that_was_seen(operation: Operation, seen: str, proposed: str) -> None:
    assert fit(operation, seen, proposed, current=seen) == Fits(proposed)


@pytest.mark.parametrize("operation", [Operation.REPLACE, Operation.LLM_DIFF])
def test_overwriting_a_newer_text_is_rebased_or_stale(operation: Operation) -> None:
    newer = "I like green tea."

    assert fit(operation, "I like tea.", "I love tea.", newer) == Fits("I love green tea.", is_rebased=True)
    assert fit(operation, "I like tea.", "I like black tea.", newer) == Stale(newer)


def test_a_field_without_a_text_is_no_field() -> None:
    assert with_text({"a": "1", "b": "2"}, "b", "") == {"a": "1"}
    assert with_text({"a": "1"}, "b", "2") == {"a": "1", "b": "2"}


@given(seen=TEXTS, proposed=TEXTS, current=TEXTS)
def test_appending_keeps_everything_that_is_there(seen: str, proposed: str, current: str) -> None:
    text = appended(proposed, current, seen)

    assert text.startswith(current)
    assert text.endswith(proposed) or text == current


@given(proposed=TEXTS, current=TEXTS)
def test_appending_the_same_twice_writes_it_once(proposed: str, current: str) -> None:
    once = appended(proposed, current)

    assert appended(proposed, once) == once


@given(proposed=TEXTS, current=TEXTS)
def test_what_was_appended_stands_on_lines_of_its_own(proposed: str, current: str) -> None:
    assert f"\n{proposed}\n" in f"\n{appended(proposed, current)}\n"


@pytest.mark.parametrize(
    ("current", "proposed", "text"),
    [
        ("", "tea", "tea"),
        ("tea", "coffee", "tea\ncoffee"),
        ("tea\ncoffee", "tea", "tea\ncoffee"),
        ("teapot", "tea", "teapot\ntea"),
        ("tea\ncoffee\nmilk", "tea\ncoffee", "tea\ncoffee\nmilk"),
        ("tea\nmilk\ncoffee", "tea\ncoffee", "tea\nmilk\ncoffee\ntea\ncoffee"),
    ],
)
def test_only_whole_lines_count_as_written_already(current: str, proposed: str, text: str) -> None:
    assert appended(proposed, current) == text


def test_a_block_is_named_by_organisation_owner_and_label() -> None:
    named = {
        block_id("acme", Owner(MemoryOwner.USER, "ada"), "notes"),
        block_id("acme", Owner(MemoryOwner.PROJECT, "ada"), "notes"),
        block_id("other", Owner(MemoryOwner.USER, "ada"), "notes"),
        block_id("acme", Owner(MemoryOwner.USER, "bob"), "notes"),
        block_id("acme", Owner(MemoryOwner.USER, "ada"), "plans"),
    }

    assert len(named) == 5
