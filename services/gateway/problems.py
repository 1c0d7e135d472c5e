"""Errors as a person and a program can read them: `application/problem+json`. Only here are HTTP status codes."""

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from shared.errors import AppError, Conflict, MessagingUnavailable, NotFound, Permanent, Retryable, StorageUnavailable

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2


class Unauthenticated(Permanent):
    """The request has no token, or one that does not hold."""

    code = "unauthenticated"


class KeysUnavailable(Retryable):
    """The identity provider's keys cannot be read, so nobody can be told from anybody else."""

    code = "keys_unavailable"


class Forbidden(Permanent):
    """The caller is known, and may not do this."""

    code = "forbidden"


class RequestInvalid(Permanent):
    """Something in the request is wrong; `errors` in the facts says what."""

    code = "request_invalid"


class BodyTooLarge(Permanent):
    """The request body is larger than the gateway takes."""

    code = "body_too_large"


class MediaTypeUnknown(Permanent):
    """The request body is of a type that the gateway does not read."""

    code = "media_type_unknown"


class LetterDecided(Conflict):
    """The dead letter was decided otherwise; `letter_status` in the facts says how."""

    code = "dead_letter_decided"


class LetterObsolete(Conflict):
    """What the dead letter was about does not exist any more, so it cannot be redriven."""

    code = "dead_letter_obsolete"


class IntegrationOff(Conflict):
    """The operator has not set up the other system."""

    code = "integration_off"


_STATUS: dict[type[AppError], int] = {
    RequestInvalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    BodyTooLarge: 413,
    MediaTypeUnknown: 415,
    StorageUnavailable: 503,
    MessagingUnavailable: 503,
    KeysUnavailable: 503,
}
TITLES = {
    400: "The request cannot be read",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unknown media type",
    422: "The request is not valid",
    500: "Internal error",
    503: "Temporarily unavailable",
}


def problem(
    status: int,
    code: str,
    detail: str,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document; the facts become members of it."""
    document = {
        **(facts or {}),
        "type": f"urn:towpath:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
    }
    return Response(orjson.dumps(document, default=str), status, dict(headers or {}), MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error of every route answered as a problem document."""
    app.exception_handler(AppError)(_on_app_error)
    app.exception_handler(RequestValidationError)(_on_invalid_request)
    app.exception_handler(HTTPException)(_on_http_error)
    app.exception_handler(Exception)(_on_bug)


def _status_of(error: AppError) -> int:
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 500)


async def _on_app_error(request: Request, error: AppError) -> Response:
    status = _status_of(error)
    headers = {}
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status >= 500:
        log.warning("request.failed", path=request.url.path, code=error.code, error=error.message)
    return problem(status, error.code, error.message, error.facts, headers)


async def _on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    errors = [
        {"field": ".".join(str(part) for part in item["loc"]), "code": item["type"], "message": item["msg"]}
        for item in error.errors()
    ]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in errors)
    return problem(422, RequestInvalid.code, detail, {"errors": errors})


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    codes = {404: "not_found", 405: "method_not_allowed"}
    detail = f"{request.method} {request.url.path}: {error.detail}."
    return problem(error.status_code, codes.get(error.status_code, "http_error"), detail, headers=error.headers)


async def _on_bug(request: Request, error: Exception) -> Response:
    log.error("request.crashed", path=request.url.path, exc_info=error)
    return problem(500, "internal", "Something went wrong here; the log of the gateway has the details.")
