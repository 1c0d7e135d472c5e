"""A tool's output has a bounded size and stays readable."""

from hypothesis import given
from hypothesis import strategies as st

from services.runner.tools.output import as_output, cut


def test_an_output_is_json() -> None:
    assert as_output({"seen": ["Grüße", 1]}) == '{"seen":["Grüße",1]}'


def test_a_long_text_keeps_its_head_and_its_tail_and_says_what_is_missing() -> None:
    assert cut(b"0123456789", 4) == "01\n[6 of 10 bytes were cut out here]\n89"


@given(st.text(), st.integers(2, 20))
def test_only_what_is_too_long_is_cut_and_never_within_a_character(text: str, most: int) -> None:
    shown = cut(text.encode(), most)

    head, _, tail = shown.partition("\n[")
    assert (shown == text) == (len(text.encode()) <= most)
    assert shown == text or (text.startswith(head) and text.endswith(tail.partition("]\n")[2]))
