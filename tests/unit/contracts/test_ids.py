"""Derived ids."""

import base64
import hashlib
import re

from hypothesis import example, given
from hypothesis import strategies as st

from contracts.ids import derived_id, event_key, run_id

parts = st.lists(st.text(max_size=20), max_size=4)


@given(parts, parts)
@example(["ab", "c"], ["a", "bc"])
@example(["a", ""], ["a"])
@example(["", "a"], ["a", ""])
@example([], [""])
def test_ids_are_equal_only_for_equal_parts(one: list[str], other: list[str]) -> None:
    assert (derived_id("x", *one) == derived_id("x", *other)) is (one == other)


@given(parts)
def test_id_is_the_prefix_and_26_lowercase_characters(values: list[str]) -> None:
    assert re.fullmatch(r"ev_[a-z2-7]{26}", derived_id("ev", *values))


@given(st.text())
def test_id_is_the_base32_of_the_digest(value: str) -> None:
    hashed = len(value.encode()).to_bytes(4, "big") + value.encode()
    digest = hashlib.blake2b(hashed, digest_size=16).digest()

    assert derived_id("x", value) == "x_" + base64.b32encode(digest).decode().lower().rstrip("=")


def test_event_key_stays_what_it_was_recorded_as() -> None:
    assert event_key("acme", "/backend", "checkin-1") == "ev_7llvuwv5j5mlhyn7gqnj5jctpe"


def test_run_id_stays_what_it_was_recorded_as() -> None:
    assert run_id("ev_1", "today_checkin_processor", "daily_session", "today-1") == "run_fgqhmnmnwdoapxn77fl3htdmwu"


def test_organisations_with_equal_events_have_different_keys() -> None:
    assert event_key("acme", "/backend", "1") != event_key("umbrella", "/backend", "1")


def test_run_of_another_agent_or_target_is_another_run() -> None:
    ids = {run_id("ev_1", "a", "doc", "1"), run_id("ev_1", "b", "doc", "1"), run_id("ev_1", "a", "doc", "2")}

    assert len(ids) == 3
