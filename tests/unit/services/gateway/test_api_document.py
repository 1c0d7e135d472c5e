"""What the OpenAPI document says of every route of the API."""

from typing import Any

import pytest

from infra.api_documents import openapi

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
DOCUMENT = openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if path.startswith("/api/")
}


@pytest.mark.parametrize("route", OPERATIONS)
def test_every_route_says_how_it_refuses(route: str) -> None:
    operation: dict[str, Any] = OPERATIONS[route]
    refusals = {status: answer["content"] for status, answer in operation["responses"].items() if status >= "400"}

    assert {"401", "403", "422", "503"} <= set(refusals)
    assert ("404" in refusals) >= ("{" in route)
    assert ("400" in refusals) == ("requestBody" in operation)
    assert all(content == PROBLEM for content in refusals.values())
    assert operation["security"] == [{"bearer": []}]


def test_a_probe_needs_no_token_and_may_say_that_a_server_is_away() -> None:
    ready = DOCUMENT["paths"]["/health/ready"]["get"]

    assert "security" not in ready
    assert ready["responses"]["503"]["content"]["application/json"] == {
        "schema": {"$ref": "#/components/schemas/Readiness"}
    }


def test_nothing_is_left_of_errors_that_the_gateway_never_answers() -> None:
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]
