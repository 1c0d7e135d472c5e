"""Whether a document is an Agent version that can be published, and if not, which field is wrong and why. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import ValidationError

from contracts.agents import AgentSpec, EffectKind, ForEach, MemoryOwner
from contracts.behaviour import Per
from contracts.envelope import Event, EventData
from contracts.errors import FieldCode, FieldError, cut
from contracts.field_errors import field_errors
from contracts.filters import ALL
from contracts.queries import HANDLER
from contracts.registry import EVENT_TYPES, PLATFORM_TYPES

_TRIGGERING = sorted({type_ for type_, _ in EVENT_TYPES} - PLATFORM_TYPES)


def _names_session(event: type[Event]) -> bool:
    data = event.model_fields["data"].annotation
    return isinstance(data, type) and issubclass(data, EventData) and "session_id" in data.model_fields


_IN_SESSIONS = sorted({type_ for (type_, _), event in EVENT_TYPES.items() if _names_session(event)} & {*_TRIGGERING})


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
    errors = [
        *_unknown_events(spec),
        *_for_nobody(spec),
        *_wrong_schemas(spec),
        *_custom_of_no_shape(spec),
        *_wrong_queries(spec),
    ]
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
    for field, event in _named_events(spec):
        if event not in _TRIGGERING:
            similar = get_close_matches(event, _TRIGGERING, n=1)
            hint = f" Did you mean '{similar[0]}'?" if similar else ""
            message = f"'{cut(event)}' is not an event that a backend publishes.{hint}"
            yield FieldError(field, FieldCode.UNKNOWN_TYPE, message)
    counted = spec.after_messages
    if counted is not None and counted.per is Per.SESSION and counted.event not in _IN_SESSIONS:
        message = f"'{cut(counted.event)}' names no session; count it per user, or choose {' or '.join(_IN_SESSIONS)}."
        yield FieldError("after_messages.per", FieldCode.INVALID, message)


def _for_nobody(spec: AgentSpec) -> Iterator[FieldError]:
    """Yield what a schedule says about members though it fires for none."""
    trigger = spec.schedule_trigger
    if trigger is None or trigger.for_each is ForEach.MEMBER:
        return
    for field, is_default in (("user_filter", trigger.user_filter == ALL), ("unless", trigger.unless is None)):
        if not is_default:
            message = f"'{field}' is about members, and 'for_each' is {trigger.for_each}; leave one of them out."
            yield FieldError(f"schedule_trigger.{field}", FieldCode.NOT_ALLOWED, message)


def _named_events(spec: AgentSpec) -> Iterator[tuple[str, str]]:
    """Yield each field that names a type of event, with that type."""
    for index, trigger in enumerate(spec.triggers):
        yield f"triggers.{index}.event", trigger.event
    for index, event in enumerate(() if spec.on_idle is None else spec.on_idle.activity):
        yield f"on_idle.activity.{index}", event
    if spec.after_messages is not None:
        yield "after_messages.event", spec.after_messages.event
    if spec.schedule_trigger is not None and spec.schedule_trigger.unless is not None:
        yield "schedule_trigger.unless.event", spec.schedule_trigger.unless.event


def _wrong_schemas(spec: AgentSpec) -> Iterator[FieldError]:
    for name, schema in (("output_schema", spec.output_schema), ("proposal_schema", spec.proposal_schema)):
        try:
            Draft202012Validator.check_schema({} if schema is None else schema)
        except SchemaError as error:
            field = ".".join((name, *map(str, error.absolute_path)))
            yield FieldError(field, FieldCode.INVALID, f"'{field}' is no JSON Schema: {cut(error.message)}")


def _custom_of_no_shape(spec: AgentSpec) -> Iterator[FieldError]:
    """Yield that custom proposals and their schema come only together."""
    if (EffectKind.CUSTOM in spec.effects) == (spec.proposal_schema is not None):
        return
    if spec.proposal_schema is None:
        message = "'proposal_schema' must say what the content of a custom proposal is, since effects has 'custom'."
        yield FieldError("proposal_schema", FieldCode.MISSING, message)
    else:
        message = "'proposal_schema' is about custom proposals; add 'custom' to effects, or leave it out."
        yield FieldError("proposal_schema", FieldCode.NOT_ALLOWED, message)


def _wrong_queries(spec: AgentSpec) -> Iterator[FieldError]:
    """Yield what keeps queries from being asked, or their answers from being proposed."""
    if not spec.queries:
        if spec.handler == HANDLER:
            yield FieldError(
                "queries", FieldCode.MISSING, f"The handler '{HANDLER}' needs 'queries'; write one or more."
            )
        return
    if spec.handler != HANDLER:
        message = f"'handler' is '{cut(spec.handler)}'; write '{HANDLER}', which is the one that asks them."
        yield FieldError("handler", FieldCode.INVALID, message)
    if MemoryOwner.USER not in spec.memory:
        yield FieldError("memory", FieldCode.INVALID, "Queries are about the memory of the user; add 'user'.")
    if EffectKind.MEMORY_DIFF not in spec.effects:
        yield FieldError("effects", FieldCode.INVALID, "What queries find is proposed as 'memory_diff'; add it.")
    if spec.output_schema is not None:
        message = "Queries have answers of their own shape; leave 'output_schema' out."
        yield FieldError("output_schema", FieldCode.NOT_ALLOWED, message)
