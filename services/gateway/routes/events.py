"""POST /api/events: a product says what happened."""

from typing import Any

from fastapi import APIRouter, Request, Response

from contracts.envelope import Event
from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.intake import EVENT_BATCH, ONE_EVENT, RefusedField, read_body, read_events
from services.gateway.problems import BodyTooLarge, problem
from services.gateway.publish import Published, answer
from services.gateway.state import caller_of, gateway_of
from services.gateway.views import PublishAnswer

router = APIRouter(tags=["events"])

EXAMPLE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "checkin-1",
    "source": "/my-product",
    "type": "checkin.submitted",
    "projectid": "apollo",
    "userid": "ada",
    "data": {"date": "2026-11-20", "today": "I will finish the export by Friday."},
}
_EVENT_SCHEMA: dict[str, Any] = Event.model_json_schema()
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            ONE_EVENT: {"schema": _EVENT_SCHEMA, "example": EXAMPLE},
            EVENT_BATCH: {"schema": {"type": "array", "items": _EVENT_SCHEMA}, "example": [EXAMPLE]},
        },
    }
}


@router.post(
    "/api/events",
    status_code=202,
    response_model=PublishAnswer,
    responses=problems(400, 413, 415),
    openapi_extra=_BODY,
)
async def publish_events(request: Request) -> Response:
    """Accept one event or a batch, and answer with the runs it started and the decisions of the gate.

    Publishing the same event again is the same answer. When some events are refused the status is 422; `errors` names
    each by its index and `events` holds the answers of the others, which are accepted.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    body = await _body(request, gateway.settings.max_body_bytes)
    values = read_body(body, request.headers.get("content-type", ""))
    reading = read_events(values, caller, gateway.settings.max_event_bytes, gateway.clock())
    published = await gateway.publishing.publish(reading)
    return json_answer(answer(published), 202) if not published.refused else _partly_refused(published)


async def _body(request: Request, most_bytes: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most_bytes:
            raise BodyTooLarge(
                f"The body is larger than {most_bytes} bytes; send fewer events at once.", limit=most_bytes
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _partly_refused(published: Published) -> Response:
    refused = len({error.index for error in published.refused})
    detail = f"{refused} of {refused + len(published.accepted)} events refused; `errors` says why."
    if published.accepted:
        detail += " The others are accepted; sending them again with the corrected ones changes nothing."
    facts = {"errors": [_error(error) for error in published.refused], **answer(published)}
    return problem(422, "events_refused", detail, facts)


def _error(error: RefusedField) -> dict[str, Any]:
    return {
        "index": error.index,
        "id": error.id,
        "code": error.code,
        "field": error.field,
        "message": error.message,
        "limit": error.limit,
    }
