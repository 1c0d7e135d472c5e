"""What commands print: tables and facts for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 200
_GAP = 2
_SHORTEST_LAST = 24
_COLOURS = {
    "open": "yellow",
    "redriven": "green",
    "discarded": "dim",
    "queued": "cyan",
    "running": "blue",
    "cancelling": "magenta",
    "completed": "green",
    "failed": "red",
    "cancelled": "dim",
    "pending": "yellow",
    "approved": "green",
    "rejected": "dim",
    "wrong": "red",
}


def console() -> Console:
    """Return what is printed to; into a pipe, lines are as long as they need to be."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document as the gateway answered it."""
    sys.stdout.write(indented(document) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns, the last one cut where there is no room; in a narrow terminal as a list."""
    lines, out = list(rows), console()
    widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
    room = out.width - sum(widths[:-1]) - _GAP * (len(columns) - 1)
    if room < min(widths[-1], _SHORTEST_LAST):
        _print_list(out, lines)
        return
    out.print(table_of(columns, lines, (*widths[:-1], min(room, widths[-1]))))


def table_of(
    columns: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int | None] | None = None
) -> Table:
    """Return rows under their columns, each as wide as it is told or needs to be."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for column, width in zip(columns, widths or [None] * len(columns), strict=True):
        table.add_column(column, no_wrap=True, overflow="ellipsis", width=width)
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def print_page(columns: Sequence[str], rows: Iterable[Sequence[str]], next_cursor: str | None) -> None:
    """Print a page of a list, that there is nothing on it, and how to see the next one."""
    listed = list(rows)
    if listed:
        print_table(columns, listed)
    else:
        say("There are none.")
    say_more(next_cursor)


def say_more(next_cursor: str | None) -> None:
    """Say how to see the next page, if there is one."""
    if next_cursor is not None:
        say(f"\nThere are more: add --cursor {next_cursor}")


def say_rest(total: int, seen: int) -> None:
    """Say how to see what comes after the first ones of a list, if anything does."""
    if total > seen:
        say(f"\nThere are {total}: add --skip {seen}")


def _print_list(out: Console, lines: Iterable[Sequence[str]]) -> None:
    """Print each row as its first cell, and the others below it."""
    for first, *others in lines:
        out.print(Text(first, style="bold"))
        out.print(Padding(Text("  ").join(_cell(cell) for cell in others if cell), (0, 0, 0, 2)))


def _cell(text: str) -> Text:
    return Text(text, style=_COLOURS.get(text, ""))


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and values, those without a value left out."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value:
            table.add_row(name, _cell(value))
    console().print(table)


def print_text(title: str, text: str) -> None:
    """Print a longer text under its title."""
    console().print(Text(f"\n{title}", style="bold"))
    console().print(Text(text), soft_wrap=True)


def say(text: str) -> None:
    """Print a sentence."""
    console().print(Text(text), soft_wrap=True)


def moment(text: str | None) -> str:
    """Return a time of the API, to the second, in UTC."""
    if text is None:
        return ""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def indented(value: Any) -> str:
    """Return a JSON value as text."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def pretty(text: str) -> str:
    """Return JSON with indentation, and any other text as it is."""
    try:
        return indented(json.loads(text))
    except ValueError:
        return text
