"""/api/agents: drafts become versions, versions are compared and rolled back, and everybody sees their own."""

from typing import Any

import pytest

from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import NOW, a_spec

ADMIN, SERVER_ADMIN = "organisation_admin", "server_admin"
NOTER: dict[str, Any] = {
    "key": "noter",
    "name": "Noter",
    "visibility": "organisation",
    "handler": "noop",
    "tags": ["Notes "],
}
BUILT_IN = a_spec("noter", instructions="Take notes.")


async def publish(asking: Asking, content: dict[str, Any], organisation: str = "acme") -> None:
    """Draft and publish an Agent of an organisation's own."""
    params = {"visibility": "organisation"}
    key, of = content["key"], {"organisation": organisation}
    known = await asking.ask("GET", f"/api/agents/{key}", ADMIN, **of)  # type: ignore[arg-type]  # names no roles
    method, path = ("POST", "/api/agents") if known.status_code == 404 else ("PUT", f"/api/agents/{key}")
    drafted = await asking.ask(method, path, ADMIN, json=content, organisation=organisation)
    assert drafted.is_success, drafted.text
    path = f"/api/agents/{key}/publish"
    published = await asking.ask("POST", path, ADMIN, organisation=organisation, params=params)
    assert published.is_success, published.text


async def test_a_draft_is_checked_published_and_seen(asking: Asking) -> None:
    created = await asking.ask("POST", "/api/agents", ADMIN, json=NOTER)
    unseen = await asking.ask("GET", "/api/agents")
    check = await asking.ask("POST", "/api/agents/noter/validate", ADMIN)
    published = await asking.ask("POST", "/api/agents/noter/publish", ADMIN, json={"note": "The first."})
    shown = await asking.ask("GET", "/api/agents/noter")

    assert (created.status_code, created.json()["draft"]["saved_by"]) == (201, "olga")
    assert unseen.json()["total"] == 0
    assert (check.json()["valid"], check.json()["published"]) == (True, None)
    assert published.json()["changed"] is True
    version = shown.json()["published"]
    assert (version["number"], version["author"], version["note"]) == (1, "olga", "The first.")
    assert version["content_hash"] == check.json()["content_hash"]
    assert (shown.json()["tags"], shown.json()["draft"], shown.json()["status"]) == (["notes"], None, "active")


async def test_publishing_again_changes_nothing(asking: Asking) -> None:
    await publish(asking, NOTER)

    again = await asking.ask("POST", "/api/agents/noter/publish", ADMIN)
    await asking.ask("PUT", "/api/agents/noter", ADMIN, json=NOTER)
    same = await asking.ask("POST", "/api/agents/noter/publish", ADMIN)

    assert [(each.json()["changed"], each.json()["version"]["number"]) for each in (again, same)] == [(False, 1)] * 2


async def test_a_draft_that_is_not_fit_is_kept_but_not_published(asking: Asking) -> None:
    wrong = NOTER | {"retry_attempts": 9, "nmae": "Noter"}
    assert (await asking.ask("POST", "/api/agents", ADMIN, json=wrong)).status_code == 201

    check = await asking.ask("POST", "/api/agents/noter/validate", ADMIN)
    refused = await asking.ask("POST", "/api/agents/noter/publish", ADMIN)

    assert {error["field"] for error in check.json()["errors"]} == {"retry_attempts", "nmae"}
    assert (refused.status_code, refused.json()["code"]) == (422, "agent_invalid")
    assert refused.json()["errors"] == check.json()["errors"]


async def test_versions_are_compared_and_rolled_back(asking: Asking) -> None:
    await publish(asking, NOTER)
    await publish(asking, NOTER | {"model": {"tier": "reasoning"}})

    compared = await asking.ask("GET", "/api/agents/noter/compare", params={"from": "1", "to": "2"})
    rolled = await asking.ask("POST", "/api/agents/noter/rollback", ADMIN, json={"number": 1, "note": "Too slow."})
    history = await asking.ask("GET", "/api/agents/noter/versions")
    missing = await asking.ask("POST", "/api/agents/noter/rollback", ADMIN, json={"number": 9})

    assert compared.json()["changes"] == [{"field": "model.tier", "old": "fast", "new": "reasoning"}]
    assert rolled.json()["version"]["number"] == 3
    versions = history.json()["versions"]
    assert [version["number"] for version in versions] == [3, 2, 1]
    assert versions[0]["note"] == "Rolled back to version 1. Too slow."
    assert versions[0]["content_hash"] == versions[2]["content_hash"]
    assert (missing.status_code, "no version 9" in missing.json()["detail"]) == (404, True)


async def test_a_form_can_be_made_of_the_schema_of_a_version(asking: Asking) -> None:
    await publish(asking, NOTER)

    schema = (await asking.ask("GET", "/api/agents/noter/versions/1/schema")).json()

    assert schema["properties"]["handler"]["default"] == "noop"
    assert schema["properties"]["retry_attempts"]["maximum"] == 5


async def test_an_override_is_the_organisations_alone(asking: Asking, mongo: Mongo) -> None:
    await AgentStore(mongo.database).seed(BUILT_IN, NOW)
    await publish(asking, NOTER | {"instructions": "Take our notes."})

    seen = {name: await asking.ask("GET", "/api/agents/noter", organisation=name) for name in ("acme", "harbour")}
    of_server = await asking.ask("GET", "/api/agents/noter", params={"visibility": "server"})
    listed = (await asking.ask("GET", "/api/agents")).json()["agents"]
    of_other = await asking.ask("GET", "/api/agents/noter/versions", organisation="harbour")

    assert seen["acme"].json()["configuration"]["instructions"] == "Take our notes."
    assert seen["harbour"].json()["configuration"]["instructions"] == "Take notes."
    assert of_server.json()["configuration"]["instructions"] == "Take notes."
    assert [(agent["key"], agent["visibility"]) for agent in listed] == [("noter", "organisation")]
    assert [version["author"] for version in of_other.json()["versions"]] == ["system"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/versions", None),
        ("GET", "/versions/1", None),
        ("GET", "/compare?from=1&to=1", None),
        ("POST", "/publish", {}),
        ("POST", "/rollback", {"number": 1}),
        ("PUT", "/status", {"status": "paused"}),
        ("GET", "/status", None),
        ("GET", "/impact?status=paused", None),
        ("GET", "/stats", None),
        ("DELETE", "/planned-status", None),
        ("PUT", "", {"visibility": "organisation", "name": "Mine"}),
        ("DELETE", "", None),
        ("POST", "/execute", {}),
    ],
)
async def test_an_organisations_agent_does_not_exist_for_others(
    asking: Asking, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await publish(asking, NOTER)

    answer = await asking.ask(
        method, f"/api/agents/noter{path}", ADMIN, SERVER_ADMIN, organisation="harbour", json=body
    )

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await asking.ask("GET", "/api/agents/noter")).json()["status"] == "active"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/publish", {}),
        ("POST", "/rollback", {"number": 1}),
        ("PUT", "/status", {"status": "paused"}),
        ("PUT", "", {"name": "Noter"}),
        ("DELETE", "", None),
    ],
)
async def test_the_servers_agents_are_for_server_admins(
    asking: Asking, mongo: Mongo, method: str, path: str, body: dict[str, Any] | None
) -> None:
    await AgentStore(mongo.database).seed(BUILT_IN, NOW)

    refused = await asking.ask(method, f"/api/agents/noter{path}", ADMIN, json=body)
    allowed = await asking.ask(method, f"/api/agents/noter{path}", SERVER_ADMIN, json=body)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "visibility = 'organisation'" in refused.json()["detail"]
    assert allowed.is_success


@pytest.mark.parametrize("roles", [(), ("backend",), ("project_admin",)])
async def test_who_only_reads_writes_nothing(asking: Asking, roles: tuple[str, ...]) -> None:
    refused = await asking.ask("POST", "/api/agents", *roles, json=NOTER)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_a_status_is_set_for_one_and_for_many(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)

    one = await asking.ask("PUT", "/api/agents/noter/status", ADMIN, json={"status": "maintenance"})
    many = {"keys": ["noter", "reader"], "status": "inactive"}
    results = (await asking.ask("POST", "/api/agents/bulk", ADMIN, json=many)).json()["results"]

    assert one.json()["status"] == "maintenance"
    assert [(result["key"], result["status"], result["code"]) for result in results] == [
        ("noter", "inactive", None),
        ("reader", None, "not_found"),
    ]
    assert (await AgentStore(mongo.database).statuses())["acme/noter"] == "inactive"


async def test_a_status_elsewhere_is_out_of_reach_however_the_key_is_written(asking: Asking) -> None:
    await publish(asking, NOTER)

    many = {"keys": ["acme/noter"], "status": "inactive"}
    answer = await asking.ask("POST", "/api/agents/bulk", ADMIN, SERVER_ADMIN, organisation="harbour", json=many)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.keys.0")


@pytest.mark.parametrize(
    ("params", "keys"),
    [
        ({}, ["noter", "reader"]),
        ({"search": "READ"}, ["reader"]),
        ({"tag": " Notes"}, ["noter"]),
        ({"agent_type": "data_analyst"}, ["reader"]),
        ({"category": "memory"}, ["reader"]),
        ({"priority_level": "high"}, ["reader"]),
        ({"status": "paused"}, ["noter"]),
        ({"limit": "1"}, ["noter"]),
        ({"skip": "1"}, ["reader"]),
    ],
)
async def test_agents_are_listed_by_what_sorts_them(asking: Asking, params: dict[str, str], keys: list[str]) -> None:
    sorted_as = {"agent_type": "data_analyst", "category": "memory", "priority_level": "high", "tags": []}
    await publish(asking, NOTER)
    await publish(asking, NOTER | sorted_as | {"key": "reader", "name": "Reader"})
    await asking.ask("PUT", "/api/agents/noter/status", ADMIN, json={"status": "paused"})

    answer = (await asking.ask("GET", "/api/agents", params=params)).json()
    stats = (await asking.ask("GET", "/api/agents/stats")).json()

    assert [agent["key"] for agent in answer["agents"]] == keys
    assert (stats["total"], stats["by_status"]) == (2, {"paused": 1, "active": 1})


@pytest.mark.parametrize(
    ("params", "field"), [({"limit": "1001"}, "limit"), ({"skip": "-1"}, "skip"), ({"status": "x"}, "status")]
)
async def test_a_list_out_of_bounds_is_refused_by_the_field(asking: Asking, params: dict[str, str], field: str) -> None:
    answer = await asking.ask("GET", "/api/agents", params=params)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"query.{field}")


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (NOTER, "agent_exists", "PUT /api/agents/noter"),
        (NOTER | {"key": "No Ter"}, "request_invalid", "key:"),
        (NOTER | {"key": "stats"}, "request_invalid", "name of a route"),
        (NOTER | {"key": "other", "visibility": ["x"]}, "request_invalid", "visibility:"),
        (NOTER | {"key": "other", "output_schema": {"maximum": 2**70}}, "request_invalid", "JSON"),
    ],
    ids=["twice", "key", "route", "visibility", "number"],
)
async def test_what_cannot_be_created_is_refused_with_the_field(
    asking: Asking, content: dict[str, Any], code: str, told: str
) -> None:
    await publish(asking, NOTER)

    answer = await asking.ask("POST", "/api/agents", ADMIN, json=content)

    assert answer.json()["code"] == code
    assert told in answer.json()["detail"]


async def test_two_agents_of_one_organisation_do_not_share_a_name(asking: Asking) -> None:
    await publish(asking, NOTER)
    await publish(asking, NOTER | {"key": "reader"}, organisation="harbour")
    await asking.ask("POST", "/api/agents", ADMIN, json=NOTER | {"key": "reader"})

    answer = await asking.ask("POST", "/api/agents/reader/publish", ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (409, "agent_name_taken")


async def test_an_archived_agent_is_listed_no_more_and_can_be_made_anew(asking: Asking) -> None:
    await publish(asking, NOTER)

    archived = [await asking.ask("DELETE", "/api/agents/noter", ADMIN) for _ in range(2)]
    listed = await asking.ask("GET", "/api/agents", ADMIN)
    history = await asking.ask("GET", "/api/agents/noter/versions")
    anew = await asking.ask("POST", "/api/agents", ADMIN, json=NOTER)
    published = await asking.ask("POST", "/api/agents/noter/publish", ADMIN)

    assert archived[0].json()["archived_by"] == "olga"
    assert archived[0].json() == archived[1].json()
    assert (listed.json()["total"], len(history.json()["versions"])) == (0, 1)
    assert (anew.status_code, published.json()["version"]["number"]) == (201, 2)
    assert (await asking.ask("GET", "/api/agents")).json()["total"] == 1


async def test_bindings_are_for_agents_that_the_organisation_sees(asking: Asking) -> None:
    await publish(asking, NOTER)
    change = {"agent_key": "noter", "scope": "organisation", "paused": True}

    own = await asking.ask("PUT", "/api/bindings", ADMIN, json=change)
    others = await asking.ask("PUT", "/api/bindings", ADMIN, organisation="harbour", json=change)

    assert own.status_code == 200
    assert (others.status_code, "noter;" in others.json()["detail"]) == (422, False)


async def disable(mongo: Mongo, scope: Scope, scope_id: str) -> None:
    binding = Binding("acme", ScopeRef(scope, scope_id), "noter", enabled=False, updated_at=NOW, updated_by="olga")
    await BindingStore(mongo.database).put(binding)


async def test_a_direct_request_for_a_disabled_agent_names_the_binding(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)
    await disable(mongo, Scope.PROJECT, "apollo")

    refused = await asking.ask("POST", "/api/agents/noter/execute", json={"project": "apollo"})
    elsewhere = await asking.ask("POST", "/api/agents/noter/execute", json={"project": "gemini"})

    assert (refused.status_code, refused.json()["code"]) == (409, "agent_disabled")
    assert refused.json()["decided_by"] == {"scope": "project", "scope_id": "apollo"}
    assert "project 'apollo'" in refused.json()["detail"]
    assert elsewhere.status_code == 202


async def test_a_direct_request_is_an_event_like_any_other_and_the_same_again_the_same_run(
    asking: Asking, mongo: Mongo
) -> None:
    await publish(asking, NOTER)
    body = {"request_id": "req-1", "target": {"type": "doc", "id": "plan"}, "input": {"question": "Why?"}}

    answers = [await asking.ask("POST", "/api/agents/noter/execute", json=body) for _ in range(2)]
    other = await asking.ask("POST", "/api/agents/noter/execute", json=body | {"input": None})

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["agent_run"] == answers[1].json()["agent_run"]
    assert answers[0].json()["agent_run"]["target"] == body["target"]
    assert (other.status_code, other.json()["code"]) == (409, "request_id_reused")
    (event,) = [event async for event in mongo.database["events"].find({})]
    assert (event["type"], event["organisation"]) == ("agent.execute_requested", "acme")


@pytest.mark.parametrize(
    ("status", "spec", "code"),
    [("inactive", {}, "agent_inactive"), ("active", {"manual": False}, "agent_not_manual")],
)
async def test_an_agent_that_is_inactive_or_not_manual_is_not_started_by_hand(
    asking: Asking, status: str, spec: dict[str, Any], code: str
) -> None:
    await publish(asking, NOTER | spec)
    await asking.ask("PUT", "/api/agents/noter/status", ADMIN, json={"status": status})

    refused = await asking.ask("POST", "/api/agents/noter/execute")

    assert (refused.status_code, refused.json()["code"]) == (409, code)


async def test_a_draft_cannot_be_run_and_only_admins_run_for_others(asking: Asking) -> None:
    await asking.ask("POST", "/api/agents", ADMIN, json=NOTER)

    unpublished = await asking.ask("POST", "/api/agents/noter/execute", ADMIN)
    for_ada = await asking.ask("POST", "/api/agents/noter/execute", json={"user": "ada"})

    assert (unpublished.status_code, unpublished.json()["code"]) == (409, "agent_unpublished")
    assert for_ada.status_code == 403
