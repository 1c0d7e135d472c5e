"""On which line of a TOML file a field of an entry of a list of tables stands; the reader of TOML does not tell. Pure."""

import re
from collections.abc import Sequence
from typing import Final

_QUOTED: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' + r"'''.*?'''" + r'|"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'|#[^\n]*", re.DOTALL
)
_HEADER: Final = re.compile(r"^\s*\[\[?\s*([\w.\-]+)\s*\]\]?", re.MULTILINE)


def line_of(text: str, table: str, path: Sequence[str | int]) -> int:
    """Return the line of a field: `path` is the number of the entry of `[[table]]`, a field, perhaps an entry of that.

    Where the field itself is not written, it is the line of what should hold it.
    """
    bare = _QUOTED.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    start, end = _section(bare, table, int(path[0]))
    found = start
    if len(path) > 1:
        own = _after(bare, rf"^\s*{re.escape(str(path[1]))}\s*=", start, end)
        found = start if own is None else own
        if len(path) > 2:
            found = _entry(bare, table, path, found, end)
    return text.count("\n", 0, found) + 1


def _section(bare: str, table: str, index: int) -> tuple[int, int]:
    """Return where the entry begins, and where the next table does that is not a part of it."""
    headers = [(found.start(1), found[1]) for found in _HEADER.finditer(bare)]
    starts = [start for start, name in headers if name == table]
    start = starts[index] if index < len(starts) else 0
    ends = (begin for begin, name in headers if begin > start and not name.startswith(f"{table}."))
    return start, next(ends, len(bare))


def _entry(bare: str, table: str, path: Sequence[str | int], found: int, end: int) -> int:
    """Return where an entry of a list begins, written in braces or as tables of its own, or a field in it."""
    name, number = str(path[1]), int(path[2])
    own_tables = rf"^\s*\[\[\s*{re.escape(table)}\.{re.escape(name)}\s*\]\]"
    pattern = own_tables if re.compile(own_tables, re.MULTILINE).search(bare, found, end) else r"\{"
    begins = [each.start() for each in re.compile(pattern, re.MULTILINE).finditer(bare, found, end)]
    begin = begins[number] if number < len(begins) else found
    if len(path) > 3:
        field = _after(bare, rf"\b{re.escape(str(path[3]))}\s*=", begin, end)
        return begin if field is None else field
    return begin


def _after(bare: str, pattern: str, start: int, end: int) -> int | None:
    found = re.compile(pattern, re.MULTILINE).search(bare, start, end)
    return None if found is None else found.end() - 1
