"""Places in the stream of run events, and the latest of them at hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.run_feed import Latest, Position, Told, position_in

ALL = "runevent.acme.*.*.*"
ADAS = "runevent.acme.ada.*.*"
MOST = 5


def told(sequence: int, user: str = "ada") -> Told:
    return Told(sequence, f"runevent.acme.{user}.noter.run_{sequence}", "run.queued", "{}")


def latest(*sequences: int, floor: int = 0) -> Latest:
    at_hand = Latest(1_000, floor, MOST)
    at_hand.add([told(sequence) for sequence in sequences], max(sequences, default=floor))
    return at_hand


def test_a_position_is_what_its_text_says() -> None:
    assert position_in(str(Position(1_763_700_000_123, 42))) == Position(1_763_700_000_123, 42)


@pytest.mark.parametrize("text", ["", "42", "a-1", "1-", "-1", "1-2-3", "1-\u0663", "9" * 19 + "-1"])
def test_other_texts_are_no_position(text: str) -> None:
    assert position_in(text) is None


def test_what_follows_a_sequence_is_found_though_sequences_are_missing() -> None:
    at_hand = latest(3, 5, 8)

    assert [each.sequence for each in at_hand.after(4, ALL, 10)[0]] == [5, 8]
    assert at_hand.after(8, ALL, 10) == ([], 8)


def test_a_reader_who_hears_only_others_facts_still_moves_on() -> None:
    at_hand = latest()
    at_hand.add([told(1, "bob"), told(2), told(3, "bob")], 3)

    assert at_hand.after(0, ADAS, 10) == ([told(2)], 3)
    assert at_hand.after(0, ADAS, 1) == ([], 1)


def test_what_was_taken_already_is_not_taken_again() -> None:
    at_hand = latest(1, 2)
    at_hand.add([told(2), told(3)], 3)

    assert [each.sequence for each in at_hand.after(0, ALL, 10)[0]] == [1, 2, 3]


@given(st.lists(st.integers(1, 4), max_size=40), st.integers(1, 7))
def test_a_reader_hears_each_fact_above_the_floor_once_and_in_order(batches: list[int], most_at_once: int) -> None:
    at_hand, position = latest(), 0
    heard: list[int] = []
    for size in batches:
        at_hand.add([told(at_hand.head + step + 1) for step in range(size)], at_hand.head + size)
        if position < at_hand.floor:
            heard += range(position + 1, at_hand.floor + 1)
            position = at_hand.floor
        facts, position = at_hand.after(position, ALL, most_at_once)
        heard += [each.sequence for each in facts]

    assert heard == list(range(1, position + 1))
    assert at_hand.floor >= at_hand.head - 2 * MOST
