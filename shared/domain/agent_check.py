"""Whether a document is an Agent version that can be published, and if not, which field is wrong and why. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import ValidationError

from contracts.agents import AgentSpec
from contracts.errors import FieldCode, FieldError, cut
from contracts.field_errors import field_errors
from contracts.registry import EVENT_TYPES, PLATFORM_TYPES

_TRIGGERING = sorted({type_ for type_, _ in EVENT_TYPES} - PLATFORM_TYPES)


class AgentUnfit(Exception):
    """The document is no Agent version; `errors` has an entry for each wrong field."""

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__(" ".join(error.message for error in errors))


def checked(content: Mapping[str, Any]) -> AgentSpec:
    """Return the Agent version that the document is, with all defaults, or raise AgentUnfit."""
    try:
        spec = AgentSpec.model_validate(content)
    except ValidationError as error:
        raise AgentUnfit([_reworded(each) for each in field_errors(error)]) from error
    errors = [*_unknown_events(spec), *_wrong_schema(spec)]
    if errors:
        raise AgentUnfit(errors)
    return spec


def _reworded(error: FieldError) -> FieldError:
    if error.code is not FieldCode.UNKNOWN_FIELD:
        return error
    similar = get_close_matches(error.field, AgentSpec.model_fields, n=1)
    hint = f" Did you mean '{similar[0]}'?" if similar else ""
    return replace(error, message=f"'{error.field}' is not a field of an Agent.{hint}")


def _unknown_events(spec: AgentSpec) -> Iterator[FieldError]:
    for index, trigger in enumerate(spec.triggers):
        if trigger.event not in _TRIGGERING:
            similar = get_close_matches(trigger.event, _TRIGGERING, n=1)
            hint = f" Did you mean '{similar[0]}'?" if similar else ""
            message = f"'{cut(trigger.event)}' is not an event that a backend publishes.{hint}"
            yield FieldError(f"triggers.{index}.event", FieldCode.UNKNOWN_TYPE, message)


def _wrong_schema(spec: AgentSpec) -> Iterator[FieldError]:
    if spec.output_schema is None:
        return
    try:
        Draft202012Validator.check_schema(spec.output_schema)
    except SchemaError as error:
        field = ".".join(("output_schema", *map(str, error.absolute_path)))
        yield FieldError(field, FieldCode.INVALID, f"'{field}' is no JSON Schema: {cut(error.message)}")
