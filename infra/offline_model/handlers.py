"""The endpoints of the provider."""

import asyncio
from time import time

from aiohttp import web

from infra.offline_model.asked import Asked, continued, read_request
from infra.offline_model.composing import compose, unfinished
from infra.offline_model.embeddings import AskedEmbeddings, embeddings
from infra.offline_model.exchange import Exchange, Visit
from infra.offline_model.faults import Fault, FaultKind
from infra.offline_model.journal import CallStatus
from infra.offline_model.prose import shortened
from infra.offline_model.streaming import stream_events
from infra.offline_model.wire import Json, error_body, json_object, parsed
from infra.offline_model.writing import EXCHANGE, cut_off, json_response, malformed, stream

MODELS = ("offline-reasoning", "offline-fast", "offline-embedding")

_HTTP_ERRORS = {
    400: ("invalid_request_error", "The offline model was told to find this request invalid."),
    401: ("invalid_request_error", "The offline model was told not to accept this key."),
    429: ("rate_limit_error", "The offline model was told to be rate limited."),
}
_QUOTED_WORDS = 12
_SERVER_ERROR = ("server_error", "The offline model was told to fail.")


async def create_response(request: web.Request) -> web.StreamResponse:
    """`POST /v1/responses`."""
    exchange = request.app[EXCHANGE]
    asked = read_request(await request.read())
    if asked.previous_response_id is not None:
        asked = continued(asked, exchange.kept.conversation(asked.previous_response_id))
    async with exchange.visit("resp", asked.model, asked.everything_said(), asked.metadata) as visit:
        if asked.background:
            return _start_in_background(exchange, asked, visit)
        await asyncio.sleep(exchange.wait_seconds(visit.fault))
        failure = _failure(request, visit)
        if failure is not None:
            return failure
        response = compose(asked, visit.id, int(time()), visit.fault)
        if asked.store:
            exchange.kept.keep(response, asked.items)
        answer = await _send(request, asked, response, visit.fault)
        _end(visit, response)
        return answer


async def show_response(request: web.Request) -> web.Response:
    """`GET /v1/responses/{id}`."""
    return json_response(request.app[EXCHANGE].kept.view(request.match_info["id"]))


async def cancel_response(request: web.Request) -> web.Response:
    """`POST /v1/responses/{id}/cancel`."""
    exchange = request.app[EXCHANGE]
    response = exchange.kept.cancel(request.match_info["id"])
    if response["status"] == "cancelled":
        exchange.journal.end(response["id"], CallStatus.CANCELLED)
    return json_response(response)


async def create_embeddings(request: web.Request) -> web.StreamResponse:
    """`POST /v1/embeddings`."""
    exchange = request.app[EXCHANGE]
    asked = parsed(AskedEmbeddings, json_object(await request.read()))
    async with exchange.visit("emb", asked.model, "\n".join(asked.texts()), {}) as visit:
        await asyncio.sleep(exchange.wait_seconds(visit.fault))
        failure = _failure(request, visit)
        if failure is not None:
            return failure
        body = embeddings(asked)
        answer = await _send_json(request, body, visit.fault)
        visit.end(CallStatus.COMPLETED, body["usage"]["prompt_tokens"])
        return answer


async def list_models(_: web.Request) -> web.Response:
    """`GET /v1/models`: names to show; any other name is answered too."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "offline-model"} for name in MODELS]
    return json_response({"object": "list", "data": data})


def _start_in_background(exchange: Exchange, asked: Asked, visit: Visit) -> web.Response:
    response = compose(asked, visit.id, int(time()), visit.fault)
    exchange.kept.keep(response, asked.items, exchange.wait_seconds(visit.fault))
    _end(visit, response)
    return json_response(unfinished(response, "queued"))


def _failure(request: web.Request, visit: Visit) -> web.Response | None:
    """Return the answer that is given instead of a response, when the fault is such a one."""
    fault = visit.fault
    if fault is not None and fault.kind is FaultKind.HTTP_STATUS:
        return _http_error(request, visit.said, fault)
    if fault is not None and fault.kind is FaultKind.MALFORMED:
        return malformed()
    return None


def _http_error(request: web.Request, said: str, fault: Fault) -> web.Response:
    status = int(fault.spec.kind)
    kind, message = _HTTP_ERRORS.get(status, _SERVER_ERROR)
    # Providers quote what they refuse, the key and the input included, so callers must not repeat their messages.
    quote = f"{request.headers.get('Authorization')}, {shortened(said, _QUOTED_WORDS)}"
    headers = {} if fault.spec.retry_after is None else {"Retry-After": str(fault.spec.retry_after)}
    return json_response(error_body(f"{message} ({quote})", kind, fault.spec.param, fault.spec.code), status, headers)


async def _send(request: web.Request, asked: Asked, response: Json, fault: Fault | None) -> web.StreamResponse:
    if not asked.stream:
        return await _send_json(request, response, fault)
    events = stream_events(response)
    cut = fault is not None and fault.kind is FaultKind.CUT
    return await stream(request, events[: len(events) // 2] if cut else events, cut=cut)


async def _send_json(request: web.Request, body: Json, fault: Fault | None) -> web.StreamResponse:
    if fault is not None and fault.kind is FaultKind.CUT:
        return await cut_off(request, body)
    return json_response(body)


def _end(visit: Visit, response: Json) -> None:
    usage = response["usage"]
    visit.end(CallStatus(response["status"]), usage["input_tokens"], usage["output_tokens"])
