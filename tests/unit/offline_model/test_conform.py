"""Values that a JSON Schema accepts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from infra.offline_model.conform import MISSING, Conformer, DoesNotFit
from infra.offline_model.strict import strict_errors

PHRASES = ("Nora prefers mornings.", "The demo is on Friday.")
DESCRIBED = {"description": "anything"}


def numbers(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    limits = st.integers(-50, 50)
    return st.one_of(
        st.builds(lambda least: {"type": kind, "minimum": least}, limits),
        st.builds(lambda most: {"type": kind, "maximum": most}, limits),
        st.builds(lambda least: {"type": kind, "exclusiveMinimum": least, "maximum": least + 9}, limits),
        st.builds(lambda step: {"type": kind, "multipleOf": step, "minimum": 1}, st.integers(1, 7)),
    )


def closed_object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


leaves: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.sampled_from([{"type": "string"}, {"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}]),
    st.sampled_from([{"type": "string", "format": name} for name in ("date", "date-time", "email", "uuid", "uri")]),
    st.sampled_from([{"type": "string", "pattern": name} for name in (r"^\S", "^[a-z_]+$", r"^[A-Z]+-\d+$", r"^\d+$")]),
    st.builds(lambda words: {"type": "string", "enum": words}, st.lists(st.text(), min_size=1, max_size=4)),
    st.builds(lambda value: {"const": value}, st.text() | st.integers()),
    numbers("integer"),
    numbers("number"),
)


def containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(
        st.dictionaries(st.text(max_size=8), inner, max_size=4).map(closed_object),
        st.builds(
            lambda item, least, more: {"type": "array", "items": item, "minItems": least, "maxItems": least + more},
            inner,
            st.integers(0, 3),
            st.integers(0, 3),
        ),
        st.builds(lambda variants: {"anyOf": variants}, st.lists(inner, min_size=1, max_size=3)),
    )


schemas = st.recursive(leaves, containers, max_leaves=12)


def fit(schema: dict[str, Any], proposed: Any = MISSING) -> Any:
    return Conformer(root=schema, phrases=PHRASES).fit(schema, proposed)


@given(schemas)
def test_any_strict_schema_gets_a_valid_value(schema: dict[str, Any]) -> None:
    root = closed_object({"value": schema})
    assert strict_errors(root) == []

    Draft202012Validator(root).validate(fit(root))


@given(schemas)
def test_valid_value_is_kept_as_it_is(schema: dict[str, Any]) -> None:
    value = fit(schema)

    assert fit(schema, value) == value


@given(schemas, st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()))
def test_proposed_value_is_made_valid_or_refused(schema: dict[str, Any], proposed: Any) -> None:
    try:
        value = fit(schema, proposed)
    except DoesNotFit:
        return

    Draft202012Validator(schema).validate(value)


def test_items_that_do_not_fit_are_dropped() -> None:
    item = closed_object({"owner": {"type": "string", "enum": ["project"]}, "text": {"type": "string"}})
    schema = {"type": "array", "items": item}

    fitted = fit(schema, [{"owner": "user", "text": "a"}, {"owner": "project", "text": "b", "more": 1}])

    assert fitted == [{"owner": "project", "text": "b"}]


def test_more_items_than_allowed_are_cut() -> None:
    assert fit({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"]) == ["a"]


def test_texts_nobody_proposed_are_words_of_the_input() -> None:
    assert fit({"type": "string", **DESCRIBED}) == PHRASES[0]


def test_references_and_allof_are_followed() -> None:
    schema: dict[str, Any] = {
        "$defs": {"colour": {"type": "string", "enum": ["red"]}},
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/colour"}, "b": {"allOf": [{"type": "integer"}, {"minimum": 4}]}},
    }

    assert fit(schema) == {"a": "red", "b": 4}


def test_endless_schema_is_refused() -> None:
    endless: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#"}}}

    with pytest.raises(DoesNotFit):
        fit(endless)
