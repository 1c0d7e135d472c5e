"""The part of JSON Schema that OpenAI accepts with `strict: true`, so that what it would refuse fails here too."""

from collections.abc import Iterator, Mapping
from typing import Any

_KEYWORDS = (
    "$defs $ref additionalProperties anyOf const description enum exclusiveMaximum exclusiveMinimum format items"
    " maxItems maximum minItems minimum multipleOf pattern properties required title type"
)
_PERMITTED = frozenset(_KEYWORDS.split())


def strict_errors(schema: Mapping[str, Any]) -> list[str]:
    """Return what OpenAI would refuse about a schema, each with its place; empty when it is fine."""
    errors = [] if schema.get("type") == "object" else ["(): the root must have the type 'object'"]
    return errors + [f"({place}): {what}" for place, part in _parts(schema, "") for what in _errors(part)]


def _parts(schema: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield place, schema
    for keyword in ("properties", "$defs"):
        for name, part in schema.get(keyword, {}).items():
            yield from _parts(part, f"{place}/{keyword}/{name}")
    if isinstance(schema.get("items"), Mapping):
        yield from _parts(schema["items"], f"{place}/items")
    for index, part in enumerate(schema.get("anyOf", ())):
        yield from _parts(part, f"{place}/anyOf/{index}")


def _errors(schema: Mapping[str, Any]) -> Iterator[str]:
    for keyword in sorted(set(schema) - _PERMITTED):
        yield f"'{keyword}' is not permitted"
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False:
            yield "'additionalProperties' is required to be supplied and to be false"
        missing = set(schema.get("properties", {})) ^ set(schema.get("required", ()))
        if missing:
            yield f"'required' must name every property and nothing else: {', '.join(sorted(missing))}"
    if schema.get("type") == "array" and "items" not in schema:
        yield "'items' is missing"
