"""The tools of the runner: what they read, and that nobody else's data is among it."""

from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.agents import MemoryOwner
from services.runner.tools.registry import TOOLS
from services.runner.tools.tool import Scope, Stores, stores_of
from shared.domain.event import accepted_event
from shared.domain.memory import Owner
from shared.store.events import EventStore
from shared.store.memory import Author, MemoryStore
from shared.store.mongo import Mongo
from shared.store.transaction import Transaction
from tests.unit.shared.given import NOW, an_event

ADA = Scope("acme", "apollo", "ada")
TICKET = {"ticket_id": "T-1", "title": "Export", "status": "open"}


def stores(mongo: Mongo) -> Stores:
    return stores_of(mongo.database)


async def accept(mongo: Mongo, id: str, age_seconds: int = 0, **attributes: Any) -> None:
    whose = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"}
    event = an_event(id=id, **(whose | attributes))
    json = event.to_json().decode()
    await EventStore(mongo.database).accept([accepted_event(event, json, NOW - timedelta(seconds=age_seconds))])


async def remember(mongo: Mongo, organisation: str, owner: Owner, label: str) -> None:
    def write(within: Transaction) -> None:
        memory = MemoryStore(mongo.database)
        block = memory.block(within, organisation, owner, label)
        memory.write(within, block, {"of": owner.id}, Author("olga", "noter", "run_0", "prp_0"), NOW)

    await mongo.transaction(write)


async def events_seen(mongo: Mongo, scope: Scope = ADA, type: str | None = None, limit: int = 20) -> list[str]:
    found = await TOOLS["recent_events"].call(stores(mongo), scope, {"type": type, "limit": limit})
    return [event["id"] for event in found]


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_registered_under_its_name_with_a_strict_schema(name: str) -> None:
    spec = TOOLS[name].spec

    Draft202012Validator.check_schema(dict(spec.parameters))
    assert spec.name == name
    assert spec.parameters["additionalProperties"] is False
    assert spec.parameters["required"] == list(spec.parameters["properties"])


async def test_recent_events_are_those_of_the_runs_user_and_project_newest_first(mongo: Mongo) -> None:
    await accept(mongo, "old", 60)
    await accept(mongo, "new", 1)
    await accept(mongo, "of another user", userid="bob")
    await accept(mongo, "of another project", projectid="gemini")
    await accept(mongo, "of another organisation", organisationid="globex")

    assert await events_seen(mongo) == ["new", "old"]
    assert await events_seen(mongo, limit=1) == ["new"]


async def test_recent_events_of_one_type_only(mongo: Mongo) -> None:
    await accept(mongo, "a check-in")

    assert await events_seen(mongo, type="checkin.submitted") == ["a check-in"]
    assert await events_seen(mongo, type="doc.created") == []


async def test_a_run_without_a_user_sees_no_events_of_users(mongo: Mongo) -> None:
    await accept(mongo, "ada's")

    assert await events_seen(mongo, Scope("acme", "apollo", None)) == []


async def test_what_the_platform_published_is_shown_only_when_asked_for(mongo: Mongo) -> None:
    await accept(mongo, "a check-in", 60)
    await accept(mongo, "a fire", type="schedule.fired")

    assert await events_seen(mongo) == ["a check-in"]
    assert await events_seen(mongo, type="schedule.fired") == ["a fire"]


async def test_tickets_are_those_of_the_project_whoever_touched_them(mongo: Mongo) -> None:
    whose: list[dict[str, Any]] = [
        {"userid": "bob"},
        {"userid": None},
        {"projectid": "gemini"},
        {"organisationid": "g"},
    ]
    for number, attributes in enumerate(whose):
        ticket = {**TICKET, "ticket_id": f"T-{number}"}
        await accept(mongo, f"opened {number}", type="ticket.opened", data=ticket, **attributes)
    await accept(mongo, "closed", type="ticket.closed", data={**TICKET, "ticket_id": "T-9"})

    async def seen(scope: Scope, *, closed: bool = False, limit: int = 200) -> set[str]:
        arguments = {"closed": closed, "limit": limit}
        return {each["ticket_id"] for each in await TOOLS["project_tickets"].call(stores(mongo), scope, arguments)}

    assert await seen(ADA) == await seen(Scope("acme", "apollo", None)) == {"T-0", "T-1"}
    assert await seen(ADA, closed=True) == {"T-0", "T-1", "T-9"}
    assert len(await seen(ADA, limit=1)) == 1
    assert await seen(Scope("acme", None, "ada")) == set()


async def test_an_event_is_shown_with_its_data(mongo: Mongo) -> None:
    await accept(mongo, "a check-in")

    (event,) = await TOOLS["recent_events"].call(stores(mongo), ADA, {"type": None, "limit": 1})

    assert (event["type"], event["accepted_at"]) == ("checkin.submitted", NOW)
    assert event["data"]["text"]


async def test_memory_is_that_of_the_runs_user_and_project(mongo: Mongo) -> None:
    await remember(mongo, "acme", Owner(MemoryOwner.USER, "ada"), "preferences")
    await remember(mongo, "acme", Owner(MemoryOwner.PROJECT, "apollo"), "goals")
    await remember(mongo, "acme", Owner(MemoryOwner.USER, "bob"), "preferences")
    await remember(mongo, "globex", Owner(MemoryOwner.USER, "ada"), "preferences")

    async def seen(label: str | None) -> list[tuple[str, str, dict[str, str]]]:
        blocks = await TOOLS["read_memory"].call(stores(mongo), ADA, {"label": label})
        return [(block["owner"], block["label"], block["fields"]) for block in blocks]

    assert await seen(None) == [("project", "goals", {"of": "apollo"}), ("user", "preferences", {"of": "ada"})]
    assert await seen("goals") == [("project", "goals", {"of": "apollo"})]
