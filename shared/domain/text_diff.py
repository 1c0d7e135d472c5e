"""What differs between two texts, word by word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from shared.domain.rebase import words


class Part(StrEnum):
    """What became of a piece of text."""

    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text, and what became of it."""

    part: Part
    text: str


def text_diff(before: str, after: str) -> list[Piece]:
    """Return the pieces in their order: those that are not added make `before`, those that are not removed `after`."""
    old, new = words(before), words(after)
    return [
        piece
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=len(old) > 2_000).get_opcodes()
        for piece in _pieces(tag, "".join(old[a:b]), "".join(new[c:d]))
    ]


def fields_diff(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[Piece]]:
    """Return what differs in each field that is not the same in both, by name; one that is missing has no text."""
    names = sorted(before.keys() | after.keys())
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return {name: text_diff(old, new) for name, old, new in pairs if old != new}


def _pieces(tag: str, removed: str, added: str) -> Iterator[Piece]:
    if tag == "equal":
        yield Piece(Part.SAME, removed)
        return
    if removed:
        yield Piece(Part.REMOVED, removed)
    if added:
        yield Piece(Part.ADDED, added)
