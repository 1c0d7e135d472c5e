"""GET /api/events: who sees which events, in which order, and what is told about each."""

from datetime import timedelta

import pytest

from shared.store.events import EventStore
from shared.store.mongo import Mongo
from tests.integration.gateway.asking import Asking
from tests.integration.gateway.seeded import seed
from tests.integration.store.given import accepted
from tests.unit.shared.given import NOW, Document, an_event

ADMIN = "organisation_admin"


async def accept(mongo: Mongo) -> None:
    """Accept two events of one moment and an older one of olga's, one of ada's and one of no user."""
    events = [
        accepted("older", NOW - timedelta(hours=1), userid="olga", projectid="gemini"),
        accepted("one", NOW, userid="olga"),
        accepted("two", NOW, userid="olga"),
        accepted("adas", NOW, userid="ada"),
        accepted("updated", NOW, type="doc.updated", userid="olga"),
    ]
    await EventStore(mongo.database).accept(events)


async def listed(asking: Asking, *roles: str, organisation: str = "acme", **params: str) -> Document:
    answer = await asking.ask("GET", "/api/events", *roles, organisation=organisation, params=params)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


@pytest.mark.parametrize(
    ("roles", "organisation", "params", "ids"),
    [
        ((), "acme", {}, {"older", "one", "two", "updated"}),
        ((), "acme", {"project": "gemini"}, {"older"}),
        ((), "acme", {"type": "doc.updated"}, {"updated"}),
        ((ADMIN,), "acme", {"user": "ada"}, {"adas"}),
        ((ADMIN,), "acme", {"all_users": "true"}, {"older", "one", "two", "adas", "updated"}),
        ((ADMIN,), "harbour", {"all_users": "true"}, set()),
    ],
)
async def test_events_are_seen_by_whom_they_concern(
    asking: Asking, mongo: Mongo, roles: tuple[str, ...], organisation: str, params: dict[str, str], ids: set[str]
) -> None:
    await accept(mongo)

    found = await listed(asking, *roles, organisation=organisation, **params)

    assert {event["id"] for event in found["events"]} == ids


async def test_pages_of_one_moment_leave_nothing_out(asking: Asking, mongo: Mongo) -> None:
    await accept(mongo)

    pages, cursor = [await listed(asking, limit="1")], None
    while cursor := pages[-1]["next_cursor"]:
        pages.append(await listed(asking, limit="1", cursor=cursor))

    ids = [event["id"] for page in pages for event in page["events"]]
    assert sorted(ids) == ["older", "one", "two", "updated"]
    assert ids[-1] == "older"


async def test_an_event_is_shown_with_its_content_and_the_decisions_on_it(asking: Asking, mongo: Mongo) -> None:
    (key,) = (await seed(mongo))["event_key"]

    shown = (await asking.ask("GET", f"/api/events/{key}", ADMIN)).json()
    waiting = an_event(organisationid="acme", userid="olga", id="waits")
    await EventStore(mongo.database).accept([accepted("waits", userid="olga")])
    undecided = (await asking.ask("GET", f"/api/events/{waiting.key}")).json()

    assert (shown["id"], shown["pending"], shown["event"]["data"]["date"]) == ("checkin-1", False, "2026-11-20")
    assert [(each["agent_key"], each["outcome"]) for each in shown["decisions"]] == [("noter", "run")]
    assert (undecided["pending"], undecided["decisions"]) == (True, [])


@pytest.mark.parametrize(("roles", "organisation"), [((), "acme"), ((ADMIN,), "harbour")])
async def test_another_users_event_does_not_exist(
    asking: Asking, mongo: Mongo, roles: tuple[str, ...], organisation: str
) -> None:
    (key,) = (await seed(mongo))["event_key"]

    answer = await asking.ask("GET", f"/api/events/{key}", *roles, organisation=organisation)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
