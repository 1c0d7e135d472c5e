"""/health: whether the process lives, and whether it can do its work."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from services.gateway.answers import json_answer
from services.gateway.state import gateway_of
from services.gateway.views import View
from shared.errors import StorageUnavailable

router = APIRouter(prefix="/health", tags=["health"])


class Alive(View):
    status: Literal["ok"]


class Readiness(View):
    """`degraded`: events are accepted, and wait for NATS. `checks` says `ok` or what is wrong, by server."""

    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, str]


@router.get("/live", response_model=Alive)
async def live() -> Response:
    """Answer as long as the process does."""
    return json_answer({"status": "ok"})


@router.get(
    "/ready", response_model=Readiness, responses={503: {"model": Readiness, "description": "It can accept nothing"}}
)
async def ready(request: Request) -> Response:
    """Ask MongoDB and NATS. Without MongoDB the gateway can accept nothing: 503. Without NATS it accepts: `degraded`."""
    gateway = gateway_of(request)
    checks = {"mongodb": await _mongodb(request), "nats": "ok" if await gateway.publisher.answers() else "unreachable"}
    if checks["mongodb"] != "ok":
        return json_answer({"status": "unavailable", "checks": checks}, 503)
    return json_answer({"status": "ok" if checks["nats"] == "ok" else "degraded", "checks": checks})


async def _mongodb(request: Request) -> str:
    try:
        await gateway_of(request).mongo.ping()
    except StorageUnavailable as error:
        return error.message
    return "ok"
