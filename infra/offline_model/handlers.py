"""The endpoints of the provider."""

import asyncio
from collections.abc import Callable
from time import time

from aiohttp import web

from infra.offline_model.asked import Asked, continued, read_request
from infra.offline_model.composing import compose, unfinished
from infra.offline_model.embeddings import AskedEmbeddings, embeddings
from infra.offline_model.exchange import Exchange, Visit, slow_seconds
from infra.offline_model.faults import Fault, FaultKind, Request
from infra.offline_model.journal import CallStatus, Ending
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
    said = asked.everything_said()
    async with exchange.visit("resp", asked.model, said, asked.metadata, background=asked.background) as visit:
        if not asked.background:
            await asyncio.sleep(exchange.wait_seconds(visit.fault))
        failure = _failure(request, said, visit.fault)
        if failure is not None:
            return failure
        response = compose(asked, visit.id, int(time()), visit.fault)
        if not asked.background:
            return await _answer(request, exchange, asked, response, visit)
        done_at = exchange.kept.keep(response, asked.items, said, exchange.wait_seconds(visit.fault))
        visit.ending = _ending(response, done_at)
    # Outside of the visit: what was started in the background goes on when its caller hangs up now.
    return await _send_json(request, unfinished(response, "queued"), visit.fault)


async def show_response(request: web.Request) -> web.StreamResponse:
    """`GET /v1/responses/{id}`."""
    exchange, response_id = request.app[EXCHANGE], request.match_info["id"]
    exchange.journal.retrieved(response_id)
    return await _on_kept(request, Request.RETRIEVE, exchange.kept.view)


async def cancel_response(request: web.Request) -> web.StreamResponse:
    """`POST /v1/responses/{id}/cancel`."""
    exchange = request.app[EXCHANGE]

    def cancel(response_id: str) -> Json:
        response = exchange.kept.cancel(response_id)
        if response["status"] == "cancelled":
            exchange.journal.end(response_id, Ending(CallStatus.CANCELLED))
        return response

    return await _on_kept(request, Request.CANCEL, cancel)


async def create_embeddings(request: web.Request) -> web.StreamResponse:
    """`POST /v1/embeddings`."""
    exchange = request.app[EXCHANGE]
    asked = parsed(AskedEmbeddings, json_object(await request.read()))
    async with exchange.visit("emb", asked.model, "\n".join(asked.texts()), {}) as visit:
        await asyncio.sleep(exchange.wait_seconds(visit.fault))
        failure = _failure(request, visit.said, visit.fault)
        if failure is not None:
            return failure
        body = embeddings(asked)
        answer = await _send_json(request, body, visit.fault)
        visit.ending = Ending(CallStatus.COMPLETED, body["usage"]["prompt_tokens"])
        return answer


async def list_models(_: web.Request) -> web.Response:
    """`GET /v1/models`: names to show; any other name is answered too."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "offline-model"} for name in MODELS]
    return json_response({"object": "list", "data": data})


async def _answer(
    request: web.Request, exchange: Exchange, asked: Asked, response: Json, visit: Visit
) -> web.StreamResponse:
    if asked.store:
        exchange.kept.keep(response, asked.items, visit.said)
    answer = await _send(request, asked, response, visit.fault)
    visit.ending = _ending(response)
    return answer


async def _on_kept(request: web.Request, kind: Request, act: Callable[[str], Json]) -> web.StreamResponse:
    """Do something with a kept response, unless a fault comes between."""
    exchange, response_id = request.app[EXCHANGE], request.match_info["id"]
    fault = exchange.faults.take(exchange.kept.texts(response_id), kind)
    await asyncio.sleep(slow_seconds(fault))
    failure = _failure(request, response_id, fault)
    return failure if failure is not None else await _send_json(request, act(response_id), fault)


def _failure(request: web.Request, said: str, fault: Fault | None) -> web.Response | None:
    """Return the answer that is given instead of a response, when the fault is such a one."""
    if fault is not None and fault.kind is FaultKind.HTTP_STATUS:
        return _http_error(request, said, fault)
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


def _ending(response: Json, at: float = 0.0) -> Ending:
    usage = response["usage"]
    return Ending(CallStatus(response["status"]), usage["input_tokens"], usage["output_tokens"], at)
