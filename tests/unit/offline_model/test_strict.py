"""Refusing the schemas that OpenAI refuses."""

from typing import Any

import pytest

from infra.offline_model.strict import strict_errors

FINE: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "array", "items": {"type": "string"}, "maxItems": 3}},
    "required": ["a"],
    "additionalProperties": False,
}


def test_closed_object_with_all_required_is_fine() -> None:
    assert strict_errors(FINE) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"type": "array"}, "root"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"required": []}, "required"),
        ({"required": ["a", "b"]}, "required"),
        ({"properties": {"a": {"type": "string", "maxLength": 3}}}, "'maxLength' is not permitted"),
        ({"properties": {"a": {"type": "object", "properties": {}}}}, "(/properties/a)"),
        ({"properties": {"a": {"anyOf": [{"allOf": []}]}}}, "(/properties/a/anyOf/0)"),
        ({"properties": {"a": {"type": "array"}}}, "'items' is missing"),
        ({"$defs": {"d": {"oneOf": []}}}, "(/$defs/d)"),
    ],
)
def test_what_providers_refuse_is_named_with_its_place(change: dict[str, Any], what: str) -> None:
    assert what in "; ".join(strict_errors({**FINE, **change}))
