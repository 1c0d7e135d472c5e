"""What cannot be accepted is refused clearly, and keeps nothing else from being accepted."""

import secrets
from typing import Any

import orjson
import pytest

from infra.local.tokens import mint
from tests.support.caller import EVENT_BATCH, ONE_EVENT, Answer
from tests.support.events import checkin, event
from tests.support.platform import Platform

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]

MAX_EVENT_BYTES = 262_144
MAX_BODY_BYTES = 8_388_608


def _stored(platform: Platform, organisation: str) -> set[str]:
    return {stored["id"] for stored in platform.database["events"].find({"organisation": organisation})}


def _only_error(answer: Answer) -> Document:
    assert (answer.status, answer.code) == (422, "events_refused")
    (error,) = answer.body["errors"]
    return dict(error)


async def test_a_bad_field_is_named_with_its_index_and_limit_and_the_other_events_are_accepted(
    platform: Platform, organisation: str
) -> None:
    good, also_good = checkin(organisation), checkin(organisation)
    bad = checkin(organisation)
    bad["data"]["mood"] = "m" * 501
    bad["data"]["colour"] = "blue"
    del bad["data"]["date"]

    answer = await platform.caller(organisation).publish(good, bad, also_good)

    assert (answer.status, answer.code) == (422, "events_refused")
    errors = {error["field"]: error for error in answer.body["errors"]}
    assert {(error["index"], error["id"]) for error in errors.values()} == {(1, bad["id"])}
    assert {field: error["code"] for field, error in errors.items()} == {
        "data.mood": "invalid_event.too_long",
        "data.colour": "invalid_event.unknown_field",
        "data.date": "invalid_event.missing",
    }
    assert errors["data.mood"]["limit"] == 500
    assert all(field in error["message"] for field, error in errors.items())
    assert [(each["index"], each["id"]) for each in answer.body["events"]] == [(0, good["id"]), (2, also_good["id"])]
    assert len(answer.body["agent_runs"]) == 2
    assert _stored(platform, organisation) == {good["id"], also_good["id"]}


async def test_an_unknown_type_is_refused_with_the_types_it_resembles(platform: Platform, organisation: str) -> None:
    answer = await platform.caller(organisation).publish({**checkin(organisation), "type": "checkin.submited"})

    error = _only_error(answer)
    assert (error["code"], error["field"]) == ("unknown_event_type.unknown_type", "type")
    assert "Did you mean 'checkin.submitted'" in error["message"]


async def test_an_unknown_version_of_a_type_is_refused_with_the_versions_there_are(
    platform: Platform, organisation: str
) -> None:
    answer = await platform.caller(organisation).publish(checkin(organisation, dataversion="7"))

    error = _only_error(answer)
    assert (error["code"], error["field"], error["limit"]) == (
        "unknown_event_type.unknown_version",
        "dataversion",
        "1",
    )


async def test_an_id_that_was_used_for_another_event_is_refused_and_the_first_event_stays(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    first = checkin(organisation, "I prefer reviews before lunch.")
    run_id = await caller.start_run(first)

    answer = await caller.publish(checkin(organisation, "I prefer reviews after lunch.", id=first["id"]))

    error = _only_error(answer)
    assert (error["code"], error["field"], error["id"]) == ("event_id_reused", "id", first["id"])
    assert [run["_id"] for run in platform.database["runs"].find({"organisation": organisation})] == [run_id]
    stored = platform.database["events"].find_one({"organisation": organisation, "id": first["id"]})
    assert stored is not None
    assert "before lunch" in stored["json"]


async def test_an_oversized_event_is_refused_and_the_others_of_its_batch_are_accepted(
    platform: Platform, organisation: str
) -> None:
    small, large = checkin(organisation), checkin(organisation, "\u6c34" * 100_000)

    answer = await platform.caller(organisation).publish(large, small)

    error = _only_error(answer)
    assert (error["index"], error["code"], error["limit"]) == (0, "event_too_large.too_large", MAX_EVENT_BYTES)
    assert _stored(platform, organisation) == {small["id"]}


async def test_an_oversized_body_is_refused_as_a_whole(platform: Platform, organisation: str) -> None:
    batch = [checkin(organisation, "x" * 90_000) for _ in range(100)]

    answer = await platform.caller(organisation).publish(*batch)

    assert (answer.status, answer.code, answer.body["limit"]) == (413, "body_too_large", MAX_BODY_BYTES)
    assert _stored(platform, organisation) == set()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"specversion": "1.0", ', ONE_EVENT, 422, "request_invalid"),
        (b"", ONE_EVENT, 422, "request_invalid"),
        (b"[]", ONE_EVENT, 422, "request_invalid"),
        (b"{}", EVENT_BATCH, 422, "request_invalid"),
        (b"{}", "text/plain", 415, "media_type_unknown"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "media_type_unknown"),
        (b"{}", ONE_EVENT, 422, "events_refused"),
        (b"null", "application/json", 422, "events_refused"),
        (b'[1, "two", null]', EVENT_BATCH, 422, "events_refused"),
        (b"[" * 2_000, "application/json", 422, "request_invalid"),
        (b'{"id": "\\ud800"}', ONE_EVENT, 422, "request_invalid"),
        (b"\xff\xfe", ONE_EVENT, 422, "request_invalid"),
    ],
    ids=[
        "cut off",
        "empty",
        "a list instead of one",
        "one instead of a list",
        "text",
        "a form",
        "an empty object",
        "null",
        "a list of other things",
        "deeply nested",
        "a lone surrogate",
        "not UTF-8",
    ],
)
async def test_a_body_that_holds_no_event_is_a_clear_problem(
    platform: Platform, organisation: str, body: bytes, content_type: str, status: int, code: str
) -> None:
    answer = await platform.caller(organisation).send(body, content_type)

    assert (answer.status, answer.code) == (status, code)
    assert answer.body["detail"]


async def test_every_event_of_a_batch_that_is_no_event_is_named(platform: Platform, organisation: str) -> None:
    good = checkin(organisation)
    body = orjson.dumps([1, good, "two", None, [], {}])

    answer = await platform.caller(organisation).send(body, EVENT_BATCH)

    assert (answer.status, answer.code) == (422, "events_refused")
    assert sorted({error["index"] for error in answer.body["errors"]}) == [0, 2, 3, 4, 5]
    assert _stored(platform, organisation) == {good["id"]}


async def test_an_event_of_another_organisation_is_refused(platform: Platform, organisation: str) -> None:
    other = f"{organisation}-other"

    answer = await platform.caller(organisation).publish(checkin(other))

    error = _only_error(answer)
    assert (error["code"], error["field"]) == ("not_allowed.not_allowed", "organisationid")
    assert _stored(platform, other) == _stored(platform, organisation) == set()


async def test_an_event_without_an_organisation_is_of_the_tokens_organisation(
    platform: Platform, organisation: str
) -> None:
    unsaid = checkin(organisation)
    del unsaid["organisationid"]

    answer = await platform.caller(organisation).publish(unsaid)

    assert answer.status == 202
    assert _stored(platform, organisation) == {unsaid["id"]}


@pytest.mark.parametrize("type", ["schedule.fired", "run.completed", "run.queued"])
async def test_events_that_only_the_platform_publishes_are_refused(
    platform: Platform, organisation: str, type: str
) -> None:
    moment = "2026-11-20T08:00:00Z"
    fired = {
        "fire_id": "fire-1",
        "agent_key": "operating_pulse",
        "schedule": "every 900 s",
        "due_at": moment,
        "fired_at": moment,
        "date": "2026-11-20",
    }
    run = {
        "run_id": "run-1",
        "agent_key": "operating_pulse",
        "agent_version": 1,
        "event_key": "event-1",
        "target": {"type": "doc", "id": "doc-1"},
        "attempt": 1,
        "status": type.removeprefix("run."),
        "queued_at": moment,
        "started_at": moment,
        "finished_at": moment,
    }
    forged = event(type, organisation, fired if type == "schedule.fired" else run)

    answer = await platform.caller(organisation, roles=("backend", "server_admin")).publish(forged)

    error = _only_error(answer)
    assert (error["code"], error["field"]) == ("not_allowed.not_allowed", "type")
    assert _stored(platform, organisation) == set()


async def test_a_plain_user_publishes_own_events_only(platform: Platform, organisation: str) -> None:
    grace = platform.caller(organisation, "grace", roles=())
    own, others = checkin(organisation, userid="grace"), checkin(organisation, userid="ada")
    nobodys = event("doc.archived", organisation, {"doc_id": "d1", "title": "Plan", "revision": 2})
    del nobodys["userid"]

    answer = await grace.publish(own, others, nobodys)

    assert (answer.status, answer.code) == (422, "events_refused")
    assert [(error["index"], error["field"]) for error in answer.body["errors"]] == [(1, "userid"), (2, "userid")]
    assert _stored(platform, organisation) == {own["id"]}


async def test_a_token_that_does_not_hold_opens_nothing(platform: Platform, organisation: str) -> None:
    foreign_secret = secrets.token_urlsafe(32)
    bearers = [
        platform.bearer(None),
        platform.bearer("not-a-token"),
        platform.caller(organisation, lifetime_seconds=-60),
        platform.bearer(mint(foreign_secret, organisation, "ada", ["backend"])),
        platform.bearer(mint(foreign_secret, organisation, "ada", ["backend"], audience="elsewhere")),
    ]

    for bearer in bearers:
        for path in ("/api/agent-runs", "/api/proposals", "/api/memory", "/api/bindings"):
            read = await bearer.get(path)
            assert (read.status, read.code, read.headers["WWW-Authenticate"]) == (401, "unauthenticated", "Bearer")
        published = await bearer.publish(checkin(organisation))
        assert (published.status, published.code) == (401, "unauthenticated")
    assert _stored(platform, organisation) == set()


async def test_a_query_out_of_bounds_is_a_clear_problem(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)

    for query in ({"limit": "0"}, {"limit": "201"}, {"status": "asleep"}, {"cursor": "garbage"}):
        answer = await caller.get("/api/agent-runs", query)
        assert (answer.status, answer.code) == (422, "request_invalid"), query
        assert answer.body["detail"]
    assert (await caller.get("/api/nothing")).code == "not_found"
    assert (await caller.ask("DELETE", "/api/events")).code == "method_not_allowed"
