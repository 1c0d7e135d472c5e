"""Reading what the tools of a runner told: lists of JSON objects, such as events and tickets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

_DAY = len("2026-11-20")


def hearsay(outputs: Sequence[str], data: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of the outputs that are lists of them, and of events those of the period that is asked about."""
    for output in outputs:
        for each in _listed(output):
            if _is_of_the_period(each, data):
                yield each


def _listed(output: str) -> list[Mapping[str, Any]]:
    _, _, text = output.partition("\n") if output.startswith("# ") else ("", "", output)
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_of_the_period(told: Mapping[str, Any], data: Any) -> bool:
    at = told.get("accepted_at")
    if not isinstance(at, str) or not isinstance(data, dict):
        return True
    day = at[:_DAY]
    return str(data.get("period_start") or day) <= day <= str(data.get("period_end") or day)
