"""What pydantic found wrong with an event, in the words of `contracts.errors`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from contracts.envelope import EXTENSION_LENGTH, EXTENSION_NAME, EXTENSION_VALUE_ERROR, PRINTABLE
from contracts.errors import FieldCode, FieldError, cut, missing

_MOST_ERRORS: Final = 20


def field_errors(error: ValidationError) -> tuple[FieldError, ...]:
    """Return one entry for each field that pydantic refused, twenty at most."""
    found = error.errors(include_url=False)[:_MOST_ERRORS]
    return tuple(_field_error(details) for details in found if not _told_deeper(details, found))


def _told_deeper(details: ErrorDetails, found: list[ErrorDetails]) -> bool:
    """Say whether this is the list that pydantic calls too short only because it refused an entry of it."""
    loc = details["loc"]
    depth = len(loc)
    return details["type"] == "too_short" and any(
        len(other["loc"]) > depth and other["loc"][:depth] == loc for other in found
    )


def _field_error(details: ErrorDetails) -> FieldError:
    field = ".".join(cut(part) for part in details["loc"])
    translate = _TRANSLATIONS.get(details["type"], _other)
    return translate(field, details)


def _limit(details: ErrorDetails, name: str) -> Any:
    return details["ctx"][name]


def _size(value: Any) -> str:
    return f"has {len(value)} {'characters' if isinstance(value, str) else 'entries'}"


def _missing(field: str, _: ErrorDetails) -> FieldError:
    return missing(field)


def _unknown_field(field: str, _: ErrorDetails) -> FieldError:
    return FieldError(field, FieldCode.UNKNOWN_FIELD, f"'{field}' is not a field of this event type.")


def _too_long(field: str, details: ErrorDetails) -> FieldError:
    most = _limit(details, "max_length")
    message = f"'{field}' {_size(details['input'])}; at most {most} are allowed."
    return FieldError(field, FieldCode.TOO_LONG, message, most)


def _too_short(field: str, details: ErrorDetails) -> FieldError:
    least = _limit(details, "min_length")
    message = f"'{field}' {_size(details['input'])}; at least {least} must be there."
    return FieldError(field, FieldCode.TOO_SHORT, message, least)


def _too_small(field: str, details: ErrorDetails) -> FieldError:
    least = _limit(details, "ge")
    message = f"'{field}' is {cut(details['input'])}; it must be at least {least}."
    return FieldError(field, FieldCode.TOO_SMALL, message, least)


def _too_large(field: str, details: ErrorDetails) -> FieldError:
    most = _limit(details, "le")
    message = f"'{field}' is {cut(details['input'])}; it must be at most {most}."
    return FieldError(field, FieldCode.TOO_LARGE, message, most)


def _not_allowed(field: str, details: ErrorDetails) -> FieldError:
    allowed = _limit(details, "expected")
    message = f"'{field}' is '{cut(details['input'])}'; it must be {allowed}."
    return FieldError(field, FieldCode.NOT_ALLOWED, message, allowed)


def _mismatch(field: str, details: ErrorDetails) -> FieldError:
    pattern = _limit(details, "pattern")
    if pattern == EXTENSION_NAME:
        message = f"'{field}' cannot be an attribute: names have 1 to 64 lowercase letters and digits."
        return FieldError(field, FieldCode.BAD_NAME, message, pattern)
    if pattern == PRINTABLE:
        message = f"'{field}' must be printable characters, without a space at either end."
        return FieldError(field, FieldCode.INVALID, message)
    return FieldError(field, FieldCode.INVALID, f"'{field}' must match {pattern}.", pattern)


def _extension(field: str, details: ErrorDetails) -> FieldError:
    if isinstance(details["input"], str):
        message = f"'{field}' {_size(details['input'])}; at most {EXTENSION_LENGTH} are allowed."
        return FieldError(field, FieldCode.TOO_LONG, message, EXTENSION_LENGTH)
    message = f"'{field}' is an extension attribute and must be a string, a 32-bit integer or a boolean."
    return FieldError(field, FieldCode.WRONG_TYPE, message)


def _not_an_object(field: str, _: ErrorDetails) -> FieldError:
    return FieldError(field, FieldCode.WRONG_TYPE, f"'{field}' must be an object.")


def _invalid(field: str, details: ErrorDetails) -> FieldError:
    return FieldError(field, FieldCode.INVALID, f"'{field}': {_limit(details, 'error')}.")


def _other(field: str, details: ErrorDetails) -> FieldError:
    message = details["msg"].replace("Input should", "must", 1)
    code = FieldCode.WRONG_TYPE if details["type"].endswith(("_type", "_parsing")) else FieldCode.INVALID
    return FieldError(field, code, f"'{field}' {message}.")


_TRANSLATIONS: Final[Mapping[str, Callable[[str, ErrorDetails], FieldError]]] = MappingProxyType(
    {
        "missing": _missing,
        "extra_forbidden": _unknown_field,
        "string_too_long": _too_long,
        "too_long": _too_long,
        "string_too_short": _too_short,
        "too_short": _too_short,
        "greater_than_equal": _too_small,
        "less_than_equal": _too_large,
        "literal_error": _not_allowed,
        "enum": _not_allowed,
        "string_pattern_mismatch": _mismatch,
        "model_type": _not_an_object,
        "value_error": _invalid,
        EXTENSION_VALUE_ERROR: _extension,
    }
)
