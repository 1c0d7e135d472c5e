"""Every event type there is, and the way from JSON to an event.

A new event is a class, an example in `schemas/examples`, and a line here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Never

import orjson
from pydantic import ValidationError

from contracts.chats import ChatTurnCompleted, ChatTurnStarted
from contracts.checkins import CheckinSubmitted
from contracts.docs import DocArchived, DocCreated, DocExtractRequested, DocUpdated
from contracts.envelope import Event
from contracts.errors import (
    EventRefused,
    FieldCode,
    FieldError,
    InvalidEvent,
    UnknownEventType,
    UnknownEventVersion,
    missing,
)
from contracts.field_errors import field_errors
from contracts.idleness import UserIdleDetected
from contracts.jobs import JobFinished, JobStarted
from contracts.manual_runs import AgentExecuteRequested
from contracts.members import MemberJoined, MemberLeft
from contracts.message_counts import MessagesCounted
from contracts.proposals import ProposalApproved
from contracts.roadmaps import RoadmapRequested
from contracts.runs import RunCancelled, RunCompleted, RunFailed, RunQueued, RunStarted
from contracts.schedules import ScheduleFired
from contracts.sessions import SessionDeleted
from contracts.snapshots import SnapshotRequested
from contracts.tickets import TicketChanged, TicketClosed, TicketOpened, TicketScanRequested

__all__ = [
    "EVENT_TYPES",
    "PLATFORM_TYPES",
    "EventRefused",
    "FieldCode",
    "FieldError",
    "InvalidEvent",
    "UnknownEventType",
    "UnknownEventVersion",
    "parse",
    "parse_json",
]

_FROM_BACKENDS: Final[tuple[type[Event], ...]] = (
    CheckinSubmitted,
    DocCreated,
    DocUpdated,
    DocArchived,
    DocExtractRequested,
    ChatTurnStarted,
    ChatTurnCompleted,
    SessionDeleted,
    SnapshotRequested,
    RoadmapRequested,
    TicketScanRequested,
    TicketOpened,
    TicketChanged,
    TicketClosed,
    MemberJoined,
    MemberLeft,
    JobStarted,
    JobFinished,
)

_FROM_TOWPATH: Final[tuple[type[Event], ...]] = (
    ScheduleFired,
    UserIdleDetected,
    MessagesCounted,
    AgentExecuteRequested,
    ProposalApproved,
    RunQueued,
    RunStarted,
    RunCompleted,
    RunFailed,
    RunCancelled,
)


def _type_and_version(event: type[Event]) -> tuple[str, str]:
    fields = event.model_fields
    return fields["type"].default, fields["dataversion"].default


EVENT_TYPES: Final[Mapping[tuple[str, str], type[Event]]] = MappingProxyType(
    {_type_and_version(event): event for event in (*_FROM_BACKENDS, *_FROM_TOWPATH)}
)
"""The class for each type and data version."""

PLATFORM_TYPES: Final[frozenset[str]] = frozenset(_type_and_version(event)[0] for event in _FROM_TOWPATH)
"""The types that only Towpath publishes; a backend that sends one is refused by whoever takes it in."""


def parse(value: Mapping[str, Any]) -> Event:
    """Return the event of the class for its type and data version.

    An attribute that is null counts as left out, as CloudEvents says. Raises `UnknownEventType`, or `InvalidEvent`
    with an entry for each wrong field.
    """
    attributes = value if None not in value.values() else _without_nulls(value)
    try:
        return _class_of(attributes).model_validate(attributes)
    except ValidationError as error:
        raise InvalidEvent(field_errors(error)) from error


def parse_json(raw: bytes) -> Event:
    """Return the event that `raw` holds as structured JSON; raises as `parse` does."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent([FieldError("", FieldCode.NOT_JSON, f"The event is not JSON: {error}.")]) from error
    if not isinstance(value, dict):
        raise InvalidEvent([FieldError("", FieldCode.WRONG_TYPE, "An event must be a JSON object.")])
    return parse(value)


def _without_nulls(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: attribute for name, attribute in value.items() if attribute is not None}


def _class_of(attributes: Mapping[str, Any]) -> type[Event]:
    if absent := [missing(name) for name in ("specversion", "type") if name not in attributes]:
        raise InvalidEvent(absent)
    type_, version = attributes["type"], attributes.get("dataversion", "1")
    if not (isinstance(type_, str) and isinstance(version, str)):
        raise InvalidEvent([_not_a_string("dataversion" if isinstance(type_, str) else "type")])
    found = EVENT_TYPES.get((type_, version))
    if found is None:
        _refuse(type_, version)
    return found


def _not_a_string(field: str) -> FieldError:
    return FieldError(field, FieldCode.WRONG_TYPE, f"'{field}' must be a string.")


def _refuse(type_: str, version: str) -> Never:
    if versions := [known for name, known in EVENT_TYPES if name == type_]:
        raise UnknownEventVersion(type_, version, versions)
    raise UnknownEventType(type_, sorted({name for name, _ in EVENT_TYPES}))
