"""Values and events as people type them. Pure."""

import json
from collections.abc import Iterable
from typing import Any

from services.cli.errors import Unclear

Document = dict[str, Any]


def assigned(pairs: Iterable[str], option: str) -> Document:
    """Return what NAME=VALUE pairs say: a value that is JSON is that, any other is a text; raises Unclear."""
    document: Document = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not (name and separator):
            raise Unclear(f"{option}: write NAME=VALUE, not '{pair}'.")
        document[name] = value_of(value)
    return document


def value_of(text: str) -> Any:
    """Return a JSON value, or the text itself when it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def events_in(text: str, name: str) -> list[Document]:
    """Return the events in a file of this name: a JSON object, a list of them, or one on each line; raises Unclear."""
    try:
        value = json.loads(text)
    except ValueError:
        value = [_line(line, number, name) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    events = value if isinstance(value, list) else [value]
    if not events or not all(isinstance(event, dict) for event in events):
        raise Unclear(f"{name}: there is no event in it; an event is a JSON object.")
    return events


def _line(text: str, number: int, name: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unclear(f"{name}, line {number}: it is no JSON: {error}.") from error
