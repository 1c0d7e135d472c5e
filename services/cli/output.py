"""What commands print: tables and facts for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPED_WIDTH = 200
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
}


def console() -> Console:
    """Return what is printed to; into a pipe, lines are as long as they need to be."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document as the gateway answered it."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their columns; the last column gives way when there is not enough room."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True, overflow="fold")
    table.add_column(columns[-1], no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    console().print(table)


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and values, those without a value left out."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value:
            table.add_row(name, Text(value, style=_COLOURS.get(value, "")))
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


def pretty(text: str) -> str:
    """Return JSON with indentation, and any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
