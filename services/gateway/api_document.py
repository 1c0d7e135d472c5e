"""The OpenAPI document: what the routes say of themselves, and what holds for all of them."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from services.gateway.problems import MEDIA_TYPE, TITLES

_METHODS = frozenset({"get", "put", "post", "delete"})
_API = ("/api/", "/v1/")
_FOR_EVERYBODY = (401, 403, 422, 503)
_BEARER = "bearer"
_REPLACED = ("HTTPValidationError", "ValidationError")
_PROBLEM = {
    "title": "Problem",
    "description": "Why a request was not answered. Other members are facts, such as the `errors` of single fields.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "A URN that ends with the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "detail": {"type": "string", "description": "What was wrong and what to do, for people."},
    },
    "required": ["type", "title", "status", "code", "detail"],
}

Document = dict[str, Any]


def problems(*statuses: int) -> dict[int | str, Document]:
    """Return the responses of a route that may also end with these problems."""
    return {status: {"description": TITLES[status]} for status in statuses}


def install(app: FastAPI) -> None:
    """Have the app describe itself with what holds for all routes."""

    def document() -> Document:
        if app.openapi_schema is None:
            raw = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            app.openapi_schema = completed(raw)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's way to extend the document


def completed(document: Document) -> Document:
    """Return FastAPI's document with the problems that any route of the API may answer, and how a caller is known."""
    for path, operation in _operations(document):
        if path.startswith(_API):
            operation["security"] = [{_BEARER: []}]
            operation["responses"] = _responses(path, operation)
    components = document["components"]
    schemas = {name: schema for name, schema in components["schemas"].items() if name not in _REPLACED}
    components["schemas"] = dict(sorted({**schemas, "Problem": _PROBLEM}.items()))
    components["securitySchemes"] = {_BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    return document


def _operations(document: Document) -> Iterator[tuple[str, Document]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _responses(path: str, operation: Document) -> Document:
    """Return the responses of a route with the problems that it may answer because of what it is."""
    expected = {*_FOR_EVERYBODY, *([404] if "{" in path else []), *([400] if "requestBody" in operation else [])}
    said = {status: response for status, response in operation["responses"].items() if status != "422"}
    responses = {str(status): {"description": TITLES[status]} for status in expected} | said
    return {status: _with_content(status, response) for status, response in sorted(responses.items())}


def _with_content(status: str, response: Document) -> Document:
    if int(status) < HTTPStatus.BAD_REQUEST:
        return response
    return {**response, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
