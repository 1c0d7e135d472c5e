"""Whether a proposed memory diff still fits, and what it does to the text that is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.agents import MemoryOwner
from shared.domain.memory import Fits, Operation, Owner, Stale, block_id, fit

TEXTS = st.text(st.sampled_from("ab \n"), max_size=8)
OVERWRITING = st.sampled_from([Operation.REPLACE, Operation.LLM_DIFF])


def appended(proposed: str, current: str, seen: str = "") -> str:
    fitting = fit(Operation.APPEND, seen, proposed, current)
    assert isinstance(fitting, Fits)
    return fitting.text


@given(operation=OVERWRITING, seen=TEXTS, proposed=TEXTS)
def test_overwriting_fits_the_text_that_was_seen(operation: Operation, seen: str, proposed: str) -> None:
    assert fit(operation, seen, proposed, current=seen) == Fits(proposed)


@given(operation=OVERWRITING, seen=TEXTS, proposed=TEXTS, current=TEXTS)
def test_overwriting_never_touches_a_text_that_was_not_seen(
    operation: Operation, seen: str, proposed: str, current: str
) -> None:
    fitting = fit(operation, seen, proposed, current)

    assert fitting == (Fits(proposed) if current == seen else Stale(current))


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
