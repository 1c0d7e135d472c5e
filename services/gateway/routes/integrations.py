"""/api/integrations: what a user connects to Towpath. Everybody sees and changes only his own."""

import re
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from services.gateway.answers import json_answer
from services.gateway.api_document import problems
from services.gateway.problems import IntegrationOff
from services.gateway.state import Gateway, caller_of, gateway_of
from services.gateway.views import View
from shared.errors import NotFound
from shared.sealing import Sealer
from shared.store.open_webui import Connection, ConnectionStatus, connection_id

log = structlog.get_logger()
router = APIRouter(tags=["integrations"])

_PATH = "/api/integrations/open-webui"
_HINT = 4
_SENDABLE = re.compile(r"[!-~]*")


def _sendable(key: SecretStr) -> SecretStr:
    if not _SENDABLE.fullmatch(key.get_secret_value()):
        raise ValueError("a key has visible ASCII characters only, and no spaces")
    return key


class ConnectRequest(BaseModel):
    """The user's own API key, as Open WebUI shows it under Settings, Account. It is stored sealed and never shown again."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"api_key": "sk-0123456789abcdef"}]})

    api_key: Annotated[
        SecretStr,
        Field(min_length=8, max_length=512, json_schema_extra={"pattern": "^[!-~]*$"}),
        AfterValidator(_sendable),
    ]


class FailureView(View):
    """Why the last attempt failed, how many did in a row, and the run that was refused, if it was about one."""

    code: str
    detail: str
    at: datetime
    attempts: int
    run_id: str | None = None


class ConnectionView(View):
    """How a user's connection stands; of the key only the last characters are shown."""

    url: str
    status: ConnectionStatus
    key_hint: str
    connected_at: datetime
    checked_at: datetime | None
    mirrored_until: datetime
    failure: FailureView | None


@router.put(_PATH, response_model=ConnectionView, responses=problems(409))
async def connect(request: Request, wanted: ConnectRequest) -> Response:
    """Connect with an API key, in place of the one before. It is tried within seconds: read the status again then."""
    gateway, caller = gateway_of(request), await caller_of(request)
    sealer = _sealer(gateway)
    key = wanted.api_key.get_secret_value()
    sealed = sealer.seal(key, connection_id(caller.organisation, caller.user))
    now = gateway.clock()
    connection = await gateway.open_webui.connect(caller.organisation, caller.user, sealed, key[-_HINT:], now)
    log.info("integration.connected", integration="open-webui", organisation=caller.organisation, user=caller.user)
    return json_answer(_view(gateway, connection))


@router.get(_PATH, response_model=ConnectionView, responses=problems(404))
async def show(request: Request) -> Response:
    """Show how the caller's connection stands, and why it failed if it did."""
    gateway, caller = gateway_of(request), await caller_of(request)
    connection = await gateway.open_webui.of_user(caller.organisation, caller.user)
    return json_answer(_view(gateway, _existing(connection)))


@router.post(f"{_PATH}/test", status_code=202, response_model=ConnectionView, responses=problems(404, 409))
async def test(request: Request) -> Response:
    """Have the connection tried now, also one that has failed; what ended meanwhile is mirrored then."""
    gateway, caller = gateway_of(request), await caller_of(request)
    _sealer(gateway)
    connection = await gateway.open_webui.test(caller.organisation, caller.user, gateway.clock())
    return json_answer(_view(gateway, _existing(connection)), 202)


@router.delete(_PATH, status_code=204, response_model=None)
async def disconnect(request: Request) -> Response:
    """Disconnect and forget the key; what was mirrored stays in Open WebUI."""
    gateway, caller = gateway_of(request), await caller_of(request)
    if await gateway.open_webui.disconnect(caller.organisation, caller.user):
        log.info(
            "integration.disconnected", integration="open-webui", organisation=caller.organisation, user=caller.user
        )
    return Response(status_code=204)


def _sealer(gateway: Gateway) -> Sealer:
    settings = gateway.settings
    if not settings.open_webui_url:
        raise IntegrationOff("There is no Open WebUI here. An operator sets OPEN_WEBUI_URL and CREDENTIALS_KEY.")
    return Sealer(settings.credentials_keys)


def _existing(connection: Connection | None) -> Connection:
    if connection is None:
        raise NotFound(f"You are not connected to Open WebUI. PUT {_PATH} with an API key of yours.")
    return connection


def _view(gateway: Gateway, connection: Connection) -> dict[str, object]:
    return {
        "url": gateway.settings.open_webui_url,
        "status": connection.status,
        "key_hint": connection.key_hint,
        "connected_at": connection.connected_at,
        "checked_at": connection.checked_at,
        "mirrored_until": connection.mirrored_until,
        "failure": connection.failure,
    }
