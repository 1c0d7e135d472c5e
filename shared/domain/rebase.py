"""Three-way merging of texts: what somebody changed, made again on a text that others have changed since.

Whole lines are merged first, so that lines added behind a changed line are no conflict. Lines that both sides changed
are merged word by word. Nothing is normalised: every blank and line break of the result comes from one of the texts.
"""

import re
from collections import Counter
from collections.abc import Sequence

from merge3 import Merge3

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_WRITTEN = re.compile(r"\w+|[^\w\s]")
_MOST_WORDS = 4_000
"""More words than this in conflicting lines are not compared: that would hold up everybody else for too long."""

Tokens = Sequence[str]


def rebase(base: str, current: str, proposed: str) -> str | None:
    """Return `current` with the changes that lead from `base` to `proposed`; None when both changed the same place."""
    if current == base:
        return proposed
    if proposed in (base, current):
        return current
    merged: list[str] = []
    for group in Merge3(_lines(base), _lines(current), _lines(proposed)).merge_groups():
        lines = _both(*group[1:]) if group[0] == "conflict" else group[1]
        if lines is None:
            return None
        merged += lines
    text = "\n".join(merged)
    return None if _brings_back(text, base, current, proposed) else text


def _brings_back(merged: str, base: str, current: str, proposed: str) -> bool:
    """Return whether a word is there more often than both changes leave it: blanks were taken for what stayed in place."""
    found, before, *after = (Counter(_WRITTEN.findall(text)) for text in (merged, base, current, proposed))
    return any(count > max(0, after[0][word] + after[1][word] - before[word]) for word, count in found.items())


def words(text: str) -> list[str]:
    """Split a text into words, signs and blanks, which make the text again when they are joined."""
    return _WORDS.findall(text)


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _both(base: Tokens, current: Tokens, proposed: Tokens) -> Tokens | None:
    """Return lines that both sides changed with both changes, or None."""
    beside = _beside(base, current, proposed)
    if beside is None:
        beside = _beside(base, proposed, current)
    return _word_by_word(base, current, proposed) if beside is None else beside


def _beside(base: Tokens, adding: Tokens, changing: Tokens) -> Tokens | None:
    """Return the change with the lines that the other side only added before or behind it."""
    if not base:
        return None
    size = len(base)
    if list(adding[:size]) == list(base):
        return [*changing, *adding[size:]]
    if list(adding[-size:]) == list(base):
        return [*adding[:-size], *changing]
    return None


def _word_by_word(*sides: Tokens) -> Tokens | None:
    base, current, proposed = (words("\n".join(lines)) for lines in sides)
    if max(len(base), len(current), len(proposed)) > _MOST_WORDS:
        return None
    merged: list[str] = []
    for group in Merge3(base, current, proposed).merge_groups():
        if group[0] == "conflict":
            return None
        merged += group[1]
    return _lines("".join(merged))
