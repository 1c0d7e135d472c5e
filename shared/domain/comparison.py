"""What is different between two JSON documents, field by field. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One field, by its dotted path, with what it was and what it is; None where it is not there. Lists are one field."""

    field: str
    old: Any
    new: Any


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return what differs, in the order of the fields of the new document, then what only the old one had."""
    return list(_changes("", old, new))


def _changes(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*new, *old)):
        was, is_now = old.get(name, _ABSENT), new.get(name, _ABSENT)
        field = f"{path}{name}"
        if isinstance(was, Mapping) and isinstance(is_now, Mapping):
            yield from _changes(f"{field}.", was, is_now)
        elif type(was) is not type(is_now) or was != is_now:
            yield Change(field, _shown(was), _shown(is_now))


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else value
