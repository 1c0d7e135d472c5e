"""Errors as a person and a program can read them."""

import orjson
import pytest
from fastapi import FastAPI, Response
from starlette.testclient import TestClient

from services.gateway import problems
from services.gateway.problems import (
    BodyTooLarge,
    Forbidden,
    KeysUnavailable,
    MediaTypeUnknown,
    RequestInvalid,
    Unauthenticated,
)
from shared.errors import AppError, Conflict, NotFound, StorageUnavailable
from shared.store.memory_changes import ProposalStale
from shared.store.proposals import ProposalDecided


def client_of(error: Exception) -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.get("/thing")
    async def thing(limit: int = 1) -> Response:
        raise error

    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestInvalid("wrong"), 422),
        (Unauthenticated("who?"), 401),
        (Forbidden("no"), 403),
        (NotFound("where?"), 404),
        (Conflict("late"), 409),
        (ProposalDecided("decided"), 409),
        (ProposalStale("stale"), 409),
        (BodyTooLarge("large"), 413),
        (MediaTypeUnknown("xml"), 415),
        (StorageUnavailable("away"), 503),
        (KeysUnavailable("away"), 503),
        (AppError("else"), 500),
    ],
)
def test_every_error_is_a_problem_with_its_code(error: AppError, status: int) -> None:
    with client_of(error) as client:
        answer = client.get("/thing")

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["detail"]) == (status, error.code, error.message)
    assert problem["type"] == f"urn:towpath:problem:{error.code}"
    assert problem["title"]


def test_a_caller_is_told_how_to_sign_in_and_when_to_come_back() -> None:
    with client_of(Unauthenticated("who?")) as client:
        assert client.get("/thing").headers["www-authenticate"] == "Bearer"
    with client_of(StorageUnavailable("away")) as client:
        assert int(client.get("/thing").headers["retry-after"]) > 0


def test_facts_are_told_but_never_replace_what_a_problem_is() -> None:
    answer = problems.problem(409, "proposal_stale", "Changed.", {"current": "tea", "status": "hidden", "code": 1})

    told = orjson.loads(answer.body)
    assert (told["current"], told["status"], told["code"]) == ("tea", 409, "proposal_stale")


def test_a_bug_tells_nothing_of_its_inside() -> None:
    with client_of(ValueError("the secret is 1234")) as client:
        answer = client.get("/thing")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "1234" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("DELETE", "/thing", 405, "method_not_allowed"),
        ("GET", "/thing?limit=much", 422, "request_invalid"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(method: str, path: str, status: int, code: str) -> None:
    with client_of(NotFound("where?")) as client:
        answer = client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_wrong_parameter_is_named() -> None:
    with client_of(NotFound("where?")) as client:
        (error,) = client.get("/thing?limit=much").json()["errors"]

    assert error["field"] == "query.limit"
