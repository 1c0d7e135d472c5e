"""Why an event is refused, field by field, in words that its publisher can act on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import ClassVar

Limit = int | float | str | None

# A mistake is repeated to its sender, but not in full when it is long.
_LONGEST_ECHO = 128


class FieldCode(StrEnum):
    """What is wrong with a field; stable, meant for programs."""

    NOT_JSON = "not_json"
    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_VERSION = "unknown_version"
    BAD_NAME = "bad_name"
    WRONG_TYPE = "wrong_type"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NOT_ALLOWED = "not_allowed"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with an event; `field` is a dotted path such as `data.text`, or empty for the whole event.

    `limit` is the bound that was passed, or the values that are allowed.
    """

    field: str
    code: FieldCode
    message: str
    limit: Limit = None


class EventRefused(ValueError):
    """An event that cannot be accepted; `errors` says why and holds at least one entry."""

    code: ClassVar[str]

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(" ".join(error.message for error in self.errors))


class InvalidEvent(EventRefused):
    """An event with a field that is missing, unknown or out of bounds."""

    code = "invalid_event"


class UnknownEventType(EventRefused):
    """An event of a type, or of a version of a type, that does not exist; `suggestions` are types that look like it."""

    code = "unknown_event_type"

    def __init__(self, type: str, known: Iterable[str]) -> None:
        self.type = cut(type)
        self.suggestions = tuple(get_close_matches(self.type, list(known), n=3))
        hint = f" Did you mean {' or '.join(repr(name) for name in self.suggestions)}?" if self.suggestions else ""
        super().__init__([FieldError("type", FieldCode.UNKNOWN_TYPE, f"There is no event type '{self.type}'.{hint}")])


class UnknownEventVersion(UnknownEventType):
    """An event whose type is known, but not in this version."""

    def __init__(self, type: str, version: str, known: Iterable[str]) -> None:
        self.type = cut(type)
        self.suggestions = (type,)
        versions = ", ".join(sorted(known))
        message = f"'{self.type}' has no version '{cut(version)}'; its versions are: {versions}."
        EventRefused.__init__(self, [FieldError("dataversion", FieldCode.UNKNOWN_VERSION, message, versions)])


def missing(field: str) -> FieldError:
    """Return the error for a required field that is not there."""
    return FieldError(field, FieldCode.MISSING, f"'{field}' is missing.")


def cut(value: object) -> str:
    """Return the value as text that is short enough to be repeated to its sender."""
    text = str(value)
    return text if len(text) <= _LONGEST_ECHO else text[:_LONGEST_ECHO] + "..."
