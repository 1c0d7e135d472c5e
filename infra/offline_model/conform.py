"""Making a value that a JSON Schema accepts, out of a proposed value or out of the words at hand."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MISSING: Any = object()
"""Stands for "nothing is proposed", which None does not: None is JSON's null."""

_DEEPEST = 12
_USUAL_ITEMS = 3
_FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "nobody@example.com",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_SAMPLES = ("general", "A", "0", "ABC-1", "2026-01-01", "00:00", "a@example.com", "https://example.com/", "#000000")


class DoesNotFit(Exception):
    """The proposed value is not one that the schema accepts."""


@dataclass(frozen=True, slots=True)
class Conformer:
    """Fits values to the parts of one schema. `root` resolves references; `phrases` fill texts nobody proposed."""

    root: Mapping[str, Any]
    phrases: Sequence[str]

    def fit(self, schema: Mapping[str, Any], proposed: Any = MISSING, depth: int = 0) -> Any:
        """Return `proposed` as the schema wants it, or a valid value when nothing is proposed.

        Raises DoesNotFit when a proposed value contradicts the schema.
        """
        if depth > _DEEPEST:
            raise DoesNotFit
        schema = self._resolved(schema)
        if "const" in schema:
            return _choice([schema["const"]], proposed)
        if "enum" in schema:
            return _choice(schema["enum"], proposed)
        variants = schema.get("anyOf") or schema.get("oneOf")
        if variants:
            return _first_that_fits(lambda variant: self.fit(variant, proposed, depth + 1), variants)
        return _first_that_fits(lambda variant: self._of_type(variant, proposed, depth), _types(schema))

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            reference = schema.get("$ref")
            if not isinstance(reference, str):
                break
            target: Any = self.root
            for key in reference.lstrip("#").strip("/").split("/"):
                target = target.get(key, {}) if key and isinstance(target, Mapping) else target
            schema = target
        merged = dict(schema)
        for part in merged.pop("allOf", ()):
            merged = {**merged, **self._resolved(part)}
        return merged

    def _of_type(self, schema: Mapping[str, Any], proposed: Any, depth: int) -> Any:
        match schema["type"]:
            case "object":
                return self._object(schema, proposed, depth)
            case "array":
                return self._array(schema, proposed, depth)
            case "string":
                return self._string(schema, proposed)
            case "integer" | "number":
                return _number(schema, proposed)
            case "boolean":
                return _choice([False, True], proposed)
            case "null":
                return _choice([None], proposed)
        raise DoesNotFit

    def _object(self, schema: Mapping[str, Any], proposed: Any, depth: int) -> dict[str, Any]:
        if proposed is not MISSING and not isinstance(proposed, dict):
            raise DoesNotFit
        given = {} if proposed is MISSING else proposed
        properties: Mapping[str, Any] = schema.get("properties", {})
        wanted = set(schema.get("required", ())) | set(given) if proposed is not MISSING else set(properties)
        return {
            name: self.fit(each, given.get(name, MISSING), depth + 1)
            for name, each in properties.items()
            if name in wanted
        }

    def _array(self, schema: Mapping[str, Any], proposed: Any, depth: int) -> list[Any]:
        if proposed is not MISSING and not isinstance(proposed, list):
            raise DoesNotFit
        item: Mapping[str, Any] = schema.get("items") or {"type": "string"}
        least, most = schema.get("minItems", 0), schema.get("maxItems", 10_000)
        offered: Sequence[Any] = self._usual_items(item) if proposed is MISSING else proposed
        fitting = list(self._fitting(item, offered, depth))[:most]
        while len(fitting) < least:
            fitting.append(self.fit(item, MISSING, depth + 1))
        return fitting

    def _usual_items(self, item: Mapping[str, Any]) -> Sequence[Any]:
        is_text = self._resolved(item).get("type") == "string"
        return self.phrases[:_USUAL_ITEMS] if is_text and "enum" not in item else [MISSING]

    def _fitting(self, item: Mapping[str, Any], offered: Sequence[Any], depth: int) -> Iterable[Any]:
        for each in offered:
            try:
                yield self.fit(item, each, depth + 1)
            except DoesNotFit:
                continue

    def _string(self, schema: Mapping[str, Any], proposed: Any) -> str:
        if proposed is not MISSING:
            candidates: Sequence[Any] = [proposed]
        elif schema.get("format") in _FORMATS:
            candidates = [_FORMATS[schema["format"]]]
        else:
            candidates = [*self.phrases, *_SAMPLES]
        pattern = schema.get("pattern", "")
        least, most = schema.get("minLength", 0), schema.get("maxLength", 100_000)
        for each in candidates:
            text = each[:most].ljust(least, ".") if isinstance(each, str) else None
            if text is not None and re.search(pattern, text):
                return text
        raise DoesNotFit


def _first_that_fits(fit: Callable[[Mapping[str, Any]], Any], variants: Iterable[Mapping[str, Any]]) -> Any:
    for variant in variants:
        try:
            return fit(variant)
        except DoesNotFit:
            continue
    raise DoesNotFit


def _types(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    named = schema.get("type") or ("object" if "properties" in schema else "string")
    return [{**schema, "type": each} for each in ([named] if isinstance(named, str) else named)]


def _choice(choices: Sequence[Any], proposed: Any) -> Any:
    if proposed is MISSING:
        return choices[0]
    # In Python 1 equals True; in JSON it does not.
    if not any(each == proposed and isinstance(each, bool) is isinstance(proposed, bool) for each in choices):
        raise DoesNotFit
    return proposed


def _number(schema: Mapping[str, Any], proposed: Any) -> int | float:
    whole = schema["type"] == "integer"
    step = schema.get("multipleOf", 1 if whole else 0)
    least = max(schema.get("minimum", float("-inf")), schema.get("exclusiveMinimum", float("-inf")) + (step or 1e-6))
    most = min(schema.get("maximum", float("inf")), schema.get("exclusiveMaximum", float("inf")) - (step or 1e-6))
    if proposed is MISSING:
        number = min(max(0.0, least), most)
        if step:
            rounded = -(-number // step) * step
            number = rounded if rounded <= most else most // step * step
        return int(number) if whole else number
    if isinstance(proposed, bool) or not isinstance(proposed, int | float):
        raise DoesNotFit
    if not least <= proposed <= most or (step and proposed % step):
        raise DoesNotFit
    return proposed
