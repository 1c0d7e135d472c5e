"""Reads a request's events, and says of each that cannot be accepted why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from contracts.envelope import Event
from contracts.registry import PLATFORM_TYPES, EventRefused, FieldCode, FieldError, InvalidEvent, parse
from services.gateway.auth import Caller
from services.gateway.problems import MediaTypeUnknown, RequestInvalid
from shared.domain.event import AcceptedEvent, accepted_event

ONE_EVENT = "application/cloudevents+json"
EVENT_BATCH = "application/cloudevents-batch+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Readable:
    """An event that may be accepted, with its place in the request."""

    index: int
    event: AcceptedEvent


@dataclass(frozen=True, slots=True)
class RefusedField:
    """One reason why one event of the request is refused."""

    index: int
    id: str | None
    code: str
    field: str
    message: str
    limit: int | float | str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The events of one request."""

    readable: list[Readable]
    refused: list[RefusedField]


def read_body(body: bytes, content_type: str) -> list[Any]:
    """Return the request's events as JSON values: one for a single event, several for a batch."""
    media_type = content_type.partition(";")[0].strip().lower() or JSON
    if media_type not in {ONE_EVENT, EVENT_BATCH, JSON}:
        raise MediaTypeUnknown(f"Send one event as '{ONE_EVENT}' or a list as '{EVENT_BATCH}', not '{media_type}'.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise RequestInvalid(f"The body is not JSON: {error}.", errors=[{"code": FieldCode.NOT_JSON}]) from error
    is_batch = isinstance(value, list)
    if media_type != JSON and is_batch != (media_type == EVENT_BATCH):
        raise RequestInvalid(f"The body of '{media_type}' must be {'an object' if is_batch else 'a list'}.")
    return value if is_batch else [value]


def read_events(values: Iterable[Any], caller: Caller, most_bytes: int, now: datetime) -> Reading:
    """Parse every event and check that this caller may publish it."""
    reading = Reading([], [])
    for index, value in enumerate(values):
        try:
            event = _parse(value, caller)
            json = _bounded(event, most_bytes)
        except EventRefused as refusal:
            reading.refused.extend(_refused(index, value, error, refusal.code) for error in refusal.errors)
        else:
            reading.readable.append(Readable(index, accepted_event(event, json.decode(), now, index, json)))
    return reading


def _parse(value: Any, caller: Caller) -> Event:
    if not isinstance(value, dict):
        raise InvalidEvent([FieldError("", FieldCode.WRONG_TYPE, "An event must be a JSON object.")])
    is_complete = value.get("organisationid") is not None
    event = parse(value if is_complete else {**value, "organisationid": caller.organisation})
    _check_ownership(event, caller)
    return event


class NotYours(EventRefused):
    """An event that this caller may not publish."""

    code = "not_allowed"


def _check_ownership(event: Event, caller: Caller) -> None:
    if event.type in PLATFORM_TYPES:
        raise NotYours([FieldError("type", FieldCode.NOT_ALLOWED, f"Only Towpath itself publishes '{event.type}'.")])
    if event.organisationid != caller.organisation:
        message = f"Your token is for organisation '{caller.organisation}', not '{event.organisationid}'."
        raise NotYours([FieldError("organisationid", FieldCode.NOT_ALLOWED, message)])
    if event.userid != caller.user and not caller.sees_organisation:
        message = (
            f"You may only publish events of user '{caller.user}'; publishing for others needs the role 'backend'."
        )
        raise NotYours([FieldError("userid", FieldCode.NOT_ALLOWED, message)])


def _bounded(event: Event, most_bytes: int) -> bytes:
    json = event.to_json()
    if len(json) > most_bytes:
        message = f"The event has {len(json)} bytes as JSON; the most is {most_bytes}."
        raise EventTooLarge([FieldError("", FieldCode.TOO_LARGE, message, most_bytes)])
    return json


class EventTooLarge(EventRefused):
    """An event of more bytes than the gateway takes."""

    code = "event_too_large"


def _refused(index: int, value: Any, error: FieldError, code: str) -> RefusedField:
    id_ = value.get("id") if isinstance(value, Mapping) else None
    return RefusedField(
        index, id_ if isinstance(id_, str) else None, f"{code}.{error.code}", error.field, error.message, error.limit
    )
