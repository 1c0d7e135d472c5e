"""What is on and why, and what would be different: who may ask, what the answers say, and that nothing is written."""

from typing import Any

import orjson
import pytest
import pytest_asyncio

from contracts.agents import Scope
from shared.domain.binding import Binding, ScopeRef
from shared.domain.event import accepted_event
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore
from shared.store.events import EventStore
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking
from tests.unit.shared.given import NOW, a_spec, an_event, triggered

ADMIN = "organisation_admin"
SPEC = triggered("noter", priority_level="low")
OFF = {"agent_key": "noter", "scope": "user", "scope_id": "olga", "enabled": False}


@pytest_asyncio.fixture
async def published(mongo: Mongo) -> AgentStore:
    agents = AgentStore(mongo.database)
    await agents.publish(SPEC, "tests", NOW)
    return agents


async def accept(mongo: Mongo, id: str, user: str, organisation: str = "acme") -> None:
    event = an_event(id=id, organisationid=organisation, projectid="apollo", userid=user)
    await EventStore(mongo.database).accept([accepted_event(event, event.to_json().decode(), NOW)])


async def everything(mongo: Mongo) -> dict[str, list[Any]]:
    names = sorted(await mongo.database.list_collection_names())
    return {name: await mongo.database[name].find({}).sort("_id", 1).to_list(None) for name in names}


async def test_every_field_of_a_binding_comes_back_as_it_was_put(asking: Asking, published: AgentStore) -> None:
    says = {
        "enabled": True,
        "paused": False,
        "call_mode": "plain",
        "priority_level": "high",
        "model": "reasoning",
        "active_hours": {"start": "22:00", "end": "06:00", "days": ["monday"], "timezone": "Europe/Berlin"},
        "limits": {"request_limit": 3, "total_tokens_limit": None, "timeout_seconds": 60},
        "schedule": {"every_seconds": 60},
    }

    put = await asking.ask("PUT", "/api/bindings", json={**OFF, **says})
    listed = await asking.ask("GET", "/api/bindings")

    assert put.status_code == 200, put.text
    (shown,) = listed.json()["bindings"]
    assert {name: shown[name] for name in says} == says


async def test_a_document_from_before_the_fields_were_there_says_nothing_of_them(mongo: Mongo) -> None:
    bindings = BindingStore(mongo.database)
    await bindings.put(Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=True))
    newer = {"priority_level": "", "model": "", "active_hours": "", "limits": "", "call_mode": "", "paused": ""}
    await mongo.database["bindings"].update_many({}, {"$unset": newer})

    assert await bindings.find({}) == [Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", enabled=True)]


async def test_what_is_waited_for_of_people_is_told_in_words(asking: Asking, mongo: Mongo) -> None:
    target = {"type": "user", "id": "{userid}"}
    spec = a_spec(
        "waiter",
        on_idle={"idle_threshold_minutes": 5, "user_filter": "member.project == 'apollo'", "target": target},
        after_messages={"count": 10, "per": "session", "target": target},
        schedule_trigger={"unless": {"event": "checkin.submitted", "within_seconds": 60}, "target": target},
    )
    await AgentStore(mongo.database).publish(spec, "tests", NOW)

    values = (await asking.ask("GET", "/api/agents/waiter/effective")).json()["values"]

    told = {name: each["explanation"] for name, each in values.items() if "version" in each["explanation"]}
    assert told["on_idle"].startswith("on_idle is 5 min idle, 60 min apart, where `member.project == 'apollo'`, as")
    assert told["after_messages"].startswith("after_messages is every 10 chat.turn_completed per session, as")
    assert told["schedule_trigger.unless"].startswith("schedule_trigger.unless is checkin.submitted within 60 s, as")
    assert values["schedule_trigger.user_filter"]["value"] == "all"


async def test_every_value_is_told_with_the_scope_that_decided_it(asking: Asking, published: AgentStore) -> None:
    changes = (
        {"scope": "organisation", "limits": {"timeout_seconds": 30}, "priority_level": "high"},
        {"scope": "project", "scope_id": "apollo", "priority_level": "medium", "enabled": False},
    )
    for change in changes:
        await asking.ask("PUT", "/api/bindings", ADMIN, json={"agent_key": "noter", **change})

    here = (await asking.ask("GET", "/api/agents/noter/effective", params={"project": "apollo"})).json()
    elsewhere = (await asking.ask("GET", "/api/agents/noter/effective", params={"project": "gemini"})).json()

    apollo, acme = {"scope": "project", "scope_id": "apollo"}, {"scope": "organisation", "scope_id": "acme"}
    assert here["explanation"] == "noter starts no runs: the binding of project apollo disables it."
    assert here["values"]["enabled"]["decided_by"] == apollo
    assert here["values"]["priority_level"] == {
        "value": "medium",
        "decided_by": apollo,
        "explanation": "priority_level is medium, as the binding of project apollo says.",
    }
    assert here["values"]["limits.timeout_seconds"]["decided_by"] == acme
    assert here["values"]["model"] == {
        "value": "fast",
        "decided_by": None,
        "explanation": "model is fast, as the version of the Agent says.",
    }
    assert elsewhere["explanation"] == "noter is on: no binding says otherwise."
    assert elsewhere["values"]["priority_level"]["value"] == "high"


async def test_bindings_of_another_organisation_are_no_part_of_any_answer(
    asking: Asking, published: AgentStore
) -> None:
    await asking.ask("PUT", "/api/bindings", json=OFF, organisation="other")

    effective = (await asking.ask("GET", "/api/agents/noter/effective")).json()
    settings = (await asking.ask("GET", "/api/settings", params={"scope": "user"})).json()

    assert effective["values"]["enabled"]["value"] is True
    assert settings["settings"][0]["says"] is None


async def test_the_settings_of_a_scope_are_what_it_says_and_what_holds_there(
    asking: Asking, published: AgentStore
) -> None:
    await asking.ask("PUT", "/api/bindings", json={**OFF, "enabled": True})
    await asking.ask(
        "PUT", "/api/bindings", ADMIN, json={"agent_key": "noter", "scope": "organisation", "paused": True}
    )

    answer = (await asking.ask("GET", "/api/settings", params={"scope": "user"})).json()
    server = (await asking.ask("GET", "/api/settings", params={"scope": "server"})).json()

    (setting,) = answer["settings"]
    assert (answer["scope"], answer["scope_id"]) == ("user", "olga")
    assert setting["says"]["enabled"] is True
    assert (
        setting["explanation"] == "The runs of noter are queued and wait: the binding of organisation acme pauses it."
    )
    assert server["settings"][0]["values"]["paused"]["value"] is False


@pytest.mark.parametrize(
    ("path", "params", "status"),
    [
        ("/api/agents/noter/effective", {"user": "ada"}, 403),
        ("/api/agents/gone/effective", {}, 404),
        ("/api/settings", {"scope": "user", "scope_id": "ada"}, 403),
        ("/api/settings", {"scope": "organisation", "scope_id": "other"}, 403),
        ("/api/settings", {"scope": "project"}, 422),
        ("/api/settings", {"scope": "server", "scope_id": "x"}, 422),
    ],
)
async def test_what_is_not_the_callers_to_see_is_refused(
    asking: Asking, published: AgentStore, path: str, params: dict[str, str], status: int
) -> None:
    assert (await asking.ask("GET", path, params=params)).status_code == status


async def test_an_admin_sees_the_settings_of_any_user(asking: Asking, published: AgentStore) -> None:
    answer = await asking.ask("GET", "/api/settings", ADMIN, params={"scope": "user", "scope_id": "ada"})

    assert answer.status_code == 200


async def test_a_preview_of_an_event_says_what_it_would_start_and_writes_nothing(
    asking: Asking, mongo: Mongo, published: AgentStore
) -> None:
    await asking.ask("PUT", "/api/bindings", json={**OFF, "enabled": None, "paused": True})
    before = await everything(mongo)
    event = orjson.loads(an_event(organisationid="acme", userid="olga").to_json())

    answer = await asking.ask("POST", "/api/preview", json={"event": event})

    assert answer.status_code == 200, answer.text
    (decision,) = answer.json()["decisions"]
    assert (decision["outcome"], decision["reason"], decision["priority_level"]) == ("waits", "paused", "low")
    assert decision["decided_by"] == {"scope": "user", "scope_id": "olga"}
    assert await everything(mongo) == before


async def test_a_preview_of_a_binding_says_what_it_would_stop_and_writes_nothing(
    asking: Asking, mongo: Mongo, published: AgentStore
) -> None:
    await accept(mongo, "one", "olga")
    await accept(mongo, "two", "ada")
    await accept(mongo, "three", "olga", organisation="other")
    before = await everything(mongo)

    answer = await asking.ask("POST", "/api/preview", ADMIN, json={"binding": OFF})

    assert answer.status_code == 200, answer.text
    (difference,) = answer.json()["differences"]
    assert (answer.json()["events"], difference["event_id"]) == (2, "one")
    assert (difference["before"]["outcome"], difference["after"]["outcome"]) == ("run", "skipped")
    assert difference["after"]["explanation"] == "noter is disabled by the binding of user olga."
    assert await everything(mongo) == before


async def test_a_binding_is_tried_on_a_users_own_events_and_on_no_more_than_asked(
    asking: Asking, mongo: Mongo, published: AgentStore
) -> None:
    await accept(mongo, "one", "olga")
    await accept(mongo, "two", "olga")
    await accept(mongo, "three", "ada")

    all_own = await asking.ask("POST", "/api/preview", json={"binding": OFF})
    latest = await asking.ask("POST", "/api/preview", json={"binding": OFF, "latest_events": 1})

    assert (all_own.json()["events"], latest.json()["events"]) == (2, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"event": {}, "binding": OFF}, 422),
        ({"event": {"type": "unheard.of"}}, 422),
        ({"binding": {**OFF, "agent_key": "gone"}}, 422),
        ({"binding": {**OFF, "scope_id": "ada"}}, 403),
        ({"binding": {**OFF, "scope": "server", "scope_id": None}}, 403),
    ],
)
async def test_a_preview_is_refused_like_the_thing_itself(
    asking: Asking, published: AgentStore, body: dict[str, Any], status: int
) -> None:
    assert (await asking.ask("POST", "/api/preview", json=body)).status_code == status
