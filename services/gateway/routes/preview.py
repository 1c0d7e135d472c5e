"""POST /api/preview: what would start or stop, said without writing anything."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.envelope import Event
from contracts.registry import EventRefused, parse_json
from services.gateway.answers import json_answer
from services.gateway.auth import Caller
from services.gateway.configured import configuration_of
from services.gateway.intake import read_events
from services.gateway.preview_views import PreviewAnswer, difference_view, foreseen_view
from services.gateway.problems import RequestInvalid
from services.gateway.routes.bindings import BindingChange, agent_meant, binding_from
from services.gateway.routes.events import EXAMPLE
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.preview import differences, foresee

router = APIRouter(tags=["bindings"])


class PreviewRequest(BaseModel):
    """Either an event, as it would be published, or a change of binding, tried on the latest events."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"event": EXAMPLE}]})

    event: dict[str, Any] | None = None
    binding: BindingChange | None = None
    latest_events: Annotated[int, Field(ge=1, le=1_000, description="On how many events the binding is tried.")] = 100

    @model_validator(mode="after")
    def _one_of_both(self) -> "PreviewRequest":
        if (self.event is None) == (self.binding is None):
            raise ValueError("send either 'event' or 'binding'")
        return self


@router.post("/api/preview", response_model=PreviewAnswer)
async def preview(request: Request, asked: PreviewRequest) -> Response:
    """Say which Agents this event would start, or what would be different if this binding were set; nothing is written.

    A binding is tried on the organisation's latest events, for a plain user on his own; each is decided anew as at the
    time when it was accepted.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    if asked.event is not None:
        return json_answer(await _of_event(gateway, caller, asked.event))
    if asked.binding is None:
        raise AssertionError("a request has either an event or a binding")
    return json_answer(await _of_binding(gateway, caller, asked.binding, asked.latest_events))


async def _of_event(gateway: Gateway, caller: Caller, value: dict[str, Any]) -> dict[str, Any]:
    now = gateway.clock()
    reading = read_events([value], caller, gateway.settings.max_event_bytes, now)
    if reading.refused:
        errors = [{"field": each.field, "code": each.code, "message": each.message} for each in reading.refused]
        raise RequestInvalid("; ".join(each["message"] for each in errors), errors=errors)
    configuration = await configuration_of(gateway, caller.organisation)
    event = parse_json(reading.readable[0].event.json.encode())
    decisions = [foreseen_view(foreseen) for foreseen in foresee(event, configuration, now)]
    return {"decisions": decisions, "differences": [], "events": 1}


async def _of_binding(gateway: Gateway, caller: Caller, change: BindingChange, count: int) -> dict[str, Any]:
    binding = binding_from(change, caller, gateway.clock())
    configuration = await configuration_of(gateway, caller.organisation)
    agent_meant(change.agent_key, caller.organisation, configuration)
    query = caller.whose(None, all_users=caller.sees_organisation)
    events = _readable(await gateway.events.recent(query, count))
    found = [difference_view(difference) for difference in differences(events, configuration, binding)]
    return {"decisions": [], "differences": found, "events": len(events)}


def _readable(stored: Iterable[dict[str, Any]]) -> list[tuple[Event, datetime]]:
    """Return the events with the times of their acceptance, but for those that this deployment cannot read any more."""
    events = []
    for document in stored:
        try:
            events.append((parse_json(document["json"].encode()), document["accepted_at"]))
        except EventRefused:
            continue
    return events
