"""GET /api/schedules: what fires which Agent for whom, when it did last and when it will next."""

import base64
import binascii
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from contracts.agents import AgentKey, ScheduleTrigger
from services.gateway.answers import json_answer
from services.gateway.problems import RequestInvalid
from services.gateway.schedule_views import ScheduleList, last_fire_key, schedule_view
from services.gateway.state import Gateway, caller_of, gateway_of
from shared.domain.configuration import Configuration
from shared.store.schedules import ScheduleInForce

router = APIRouter(tags=["schedules"])


@router.get("/api/schedules", response_model=ScheduleList)
async def list_schedules(
    request: Request,
    agent_key: AgentKey | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: str | None = None,
) -> Response:
    """List the schedules in force: for backends and admins those of the organisation, for others their own.

    A schedule of an Agent that is disabled or paused is in force, too: it fires, and the gate records what becomes of it.
    """
    gateway, caller = gateway_of(request), await caller_of(request)
    query: dict[str, Any] = {"organisation": caller.organisation}
    if not caller.sees_organisation:
        query["user"] = caller.user
    if agent_key is not None:
        query["agent_key"] = agent_key
    found = await gateway.schedules.page(query, _after(cursor), limit + 1)
    page, now = found[:limit], gateway.clock()
    keys = {schedule.id: key for schedule in page if (key := last_fire_key(schedule)) is not None}
    decisions = await gateway.events.decisions(keys.values()) if keys else {}
    triggers = await _triggers(gateway, caller.organisation) if page else {}
    return json_answer(
        {
            "schedules": [
                schedule_view(
                    schedule, triggers.get(schedule.agent_key), decisions.get(keys.get(schedule.id, ""), ()), now
                )
                for schedule in page
            ],
            "next_cursor": _cursor(page[-1]) if len(found) > limit else None,
        }
    )


async def _triggers(gateway: Gateway, organisation: str) -> dict[str, ScheduleTrigger | None]:
    configuration = Configuration()
    configuration.replace_agents(await gateway.agents.published())
    agents = configuration.agents_of(organisation)
    return {key: version.spec.schedule_trigger for key, version in agents.items()}


def _cursor(last: ScheduleInForce) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([last.member.user, last.id])).decode().rstrip("=")


def _after(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    try:
        match orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            case [str(user), str(id_)]:
                return user, id_
    except (binascii.Error, ValueError):
        pass
    raise RequestInvalid(f"'{cursor[:64]}' is not a cursor of this list; use 'next_cursor' as it was given.")
