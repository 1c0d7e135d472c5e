"""The recorded examples, for the tests."""

from typing import Any

import orjson

from contracts.export import SCHEMAS, example_path

Attributes = dict[str, Any]


def recorded(type: str, version: str = "1") -> Attributes:
    """Return the recorded example of an event as the JSON object that it is."""
    value: Attributes = orjson.loads((SCHEMAS / example_path(type, version)).read_bytes())
    return value


def changed(type: str, /, *, data: Attributes | None = None, **attributes: Any) -> Attributes:
    """Return the recorded example with other attributes, and other fields in its data."""
    event = recorded(type)
    return event | attributes | {"data": event["data"] | (data or {})}


def without(type: str, /, *names: str) -> Attributes:
    """Return the recorded example without the attributes named."""
    return {name: value for name, value in recorded(type).items() if name not in names}
