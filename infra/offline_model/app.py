"""The HTTP application: the provider's endpoints, and those with which a test steers it."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from infra.offline_model import handlers
from infra.offline_model.exchange import Exchange, Options
from infra.offline_model.faults import FaultSpec
from infra.offline_model.wire import BadRequest, error_body
from infra.offline_model.writing import EXCHANGE, json_response

WHAT_IT_IS = "rule-based, no AI"

_LARGEST_BODY = 32 * 1024 * 1024
_FAULT_SPECS = TypeAdapter(list[FaultSpec])

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(options: Options) -> web.Application:
    """Return one offline model; two of them share nothing."""
    app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[_errors_as_json, _some_key])
    app[EXCHANGE] = Exchange.fresh(options)
    app.on_response_prepare.append(_say_what_it_is)
    app.add_routes(
        [
            web.post("/v1/responses", handlers.create_response),
            web.get("/v1/responses/{id}", handlers.show_response),
            web.post("/v1/responses/{id}/cancel", handlers.cancel_response),
            web.post("/v1/embeddings", handlers.create_embeddings),
            web.get("/v1/models", handlers.list_models),
            web.get("/health", _health),
            web.get("/journal", _show_journal),
            web.delete("/journal", _clear_journal),
            web.get("/faults", _show_faults),
            web.post("/faults", _add_faults),
            web.delete("/faults", _clear_faults),
        ]
    )
    return app


async def _health(_: web.Request) -> web.Response:
    return json_response({"status": "ok", "offline_model": WHAT_IT_IS})


async def _show_journal(request: web.Request) -> web.Response:
    return json_response(request.app[EXCHANGE].journal.as_json())


async def _clear_journal(request: web.Request) -> web.Response:
    request.app[EXCHANGE].journal.clear()
    return web.Response(status=204)


async def _show_faults(request: web.Request) -> web.Response:
    return json_response({"faults": request.app[EXCHANGE].faults.waiting()})


async def _add_faults(request: web.Request) -> web.Response:
    try:
        specs = _FAULT_SPECS.validate_json(await request.read())
    except ValidationError as error:
        raise BadRequest(f"POST /faults takes a JSON list of faults: {error}") from None
    request.app[EXCHANGE].faults.add(specs)
    return await _show_faults(request)


async def _clear_faults(request: web.Request) -> web.Response:
    request.app[EXCHANGE].faults.clear()
    return web.Response(status=204)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadRequest as error:
        return json_response(error.body, error.status)
    except web.HTTPException as error:
        return json_response(error_body(error.reason, "invalid_request_error"), error.status)


@web.middleware
async def _some_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Any bearer token will do, but the provider would want one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if request.path.startswith("/v1/") and (scheme.lower() != "bearer" or not token.strip()):
        raise BadRequest("Send any bearer token in the Authorization header.", code="invalid_api_key", status=401)
    return await handler(request)


async def _say_what_it_is(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["x-offline-model"] = WHAT_IT_IS
    response.headers["x-request-id"] = f"req_{uuid4().hex}"
