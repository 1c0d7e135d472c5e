"""Agents as TOML files, one for each: what is in a file, and what a file of an Agent looks like. Pure.

TOML has no null, so a limit that is taken off says "none", and a schema may be JSON in a text.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.agents import AgentKey, AgentSpec

Document = dict[str, Any]

_KEY: TypeAdapter[str] = TypeAdapter(AgentKey)
_NO_LIMIT = "none"
_LIMITS = (("run_timeout_seconds",), ("queue_timeout_seconds",), ("limits", "request_limit"))
_SCHEMAS = {"output_schema", "proposal_schema"}
"""Written as JSON in a text."""


def agent_of(text: str) -> Document:
    """Return the configuration that a file holds; raises ValueError, which says the line or the field."""
    content: Document = tomllib.loads(text)
    try:
        json.dumps(content, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError("it holds a date or an infinite number, and no field of an Agent is one") from error
    _check_key(content.get("key"))
    for *outer, name in _LIMITS:
        table = content.get(outer[0], {}) if outer else content
        if isinstance(table, dict) and table.get(name) == _NO_LIMIT:
            table[name] = None
    for name in _SCHEMAS:
        if isinstance(content.get(name), str):
            content[name] = _json_of(name, content[name])
    return content


def _json_of(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{name}: it is no JSON: {error}") from error


def _check_key(key: Any) -> None:
    try:
        _KEY.validate_python(key)
    except ValidationError as error:
        raise ValueError("key: write the Agent's key, of a-z, digits, _ and -, 64 at most, a letter first") from error


def file_of(configuration: Mapping[str, Any]) -> str:
    """Return the file of an Agent, with what differs from the defaults only."""
    spec = AgentSpec.model_validate(configuration)
    content = spec.model_dump(mode="json", exclude_defaults=True)
    for name in _SCHEMAS & content.keys():
        content[name] = json.dumps(content[name], indent=2, ensure_ascii=False)
    for *outer, name in _LIMITS:
        table = content.get(outer[0], {}) if outer else content
        if name in table and table[name] is None:
            table[name] = _NO_LIMIT
    return toml_of(_without_nulls(content))


def _without_nulls(value: Any) -> Any:
    """Leave out what is null by default in a part that is written."""
    match value:
        case dict():
            return {name: _without_nulls(each) for name, each in value.items() if each is not None}
        case list():
            return [_without_nulls(each) for each in value]
        case _:
            return value


def toml_of(content: Mapping[str, Any]) -> str:
    """Return a document of texts, numbers, booleans, lists and tables as TOML."""
    return "\n".join(_lines("", content)) + "\n"


def _lines(path: str, table: Mapping[str, Any]) -> Iterator[str]:
    tables = {name: value for name, value in table.items() if isinstance(value, dict) or _is_tables(value)}
    for name, value in table.items():
        if name not in tables:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in tables.items():
        inner = f"{path}{_key(name)}"
        for each in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{inner}]]" if isinstance(value, list) else f"[{inner}]"
            yield from _lines(f"{inner}.", each)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and value != [] and all(isinstance(each, dict) for each in value)


def _key(name: str) -> str:
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else _text(name)


def _value(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return _long_text(value) if "\n" in value else _text(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{_key(name)} = {_value(each)}' for name, each in value.items())} }}"
        case _:
            raise TypeError(f"{type(value).__name__} has no form in TOML")


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _long_text(text: str) -> str:
    """Return a text over several lines, with quotes and letters as they are."""
    escaped = "".join(map(_escaped, text)).replace('"""', '""\\"')
    return f'"""\n{escaped}"""'


def _escaped(letter: str) -> str:
    if letter == "\\":
        return "\\\\"
    is_control = (ord(letter) < ord(" ") and letter not in "\n\t") or letter == "\x7f"
    return f"\\u{ord(letter):04x}" if is_control else letter
