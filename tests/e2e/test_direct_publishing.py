"""Backends that publish to NATS themselves."""

from collections.abc import AsyncIterator
from typing import Any

import nats
import orjson
import pytest
import pytest_asyncio
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from contracts.subjects import event_subject
from tests.support.events import checkin, event
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

Document = dict[str, Any]


@pytest_asyncio.fixture(loop_scope="session")
async def jetstream(platform: Platform) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(platform.stack.nats_url)
    yield client.jetstream()
    await client.close()


async def _dead_letter_of(jetstream: JetStreamContext, payload: bytes) -> Msg:
    """Wait for the dead letter that carries these bytes."""
    letters = await jetstream.subscribe("dead.>", ordered_consumer=True)
    try:
        while True:
            letter = await letters.next_msg(timeout=20)
            if letter.data == payload:
                return letter
    finally:
        await letters.unsubscribe()


def _reason(letter: Msg) -> str:
    return str((letter.headers or {})["Towpath-Reason"])


async def test_an_event_published_to_nats_three_times_is_stored_gated_and_executed_once(
    platform: Platform, organisation: str, jetstream: JetStreamContext
) -> None:
    caller = platform.caller(organisation)
    published = checkin(organisation)
    subject = event_subject("checkin.submitted", organisation)

    for _ in range(3):
        await jetstream.publish(subject, orjson.dumps(published))
    (run,) = await until_seen(caller.runs, bool)
    completed = await caller.run_that_is(run["id"], "completed")
    by_http = await caller.publish(published)
    await platform.settled()

    (stored,) = platform.database["events"].find({"organisation": organisation})
    assert (stored["id"], stored["gated"], len(stored["decisions"])) == (published["id"], True, 1)
    assert completed["attempt"] == 1
    assert (by_http.status, by_http.body["agent_runs"][0]["id"]) == (202, run["id"])
    assert len(await caller.runs()) == 1
    assert len(await caller.proposals()) == 1


async def test_events_published_to_nats_and_by_http_at_once_are_one_event(
    platform: Platform, organisation: str, jetstream: JetStreamContext
) -> None:
    caller = platform.caller(organisation)
    events = [checkin(organisation) for _ in range(20)]
    subject = event_subject("checkin.submitted", organisation)

    for each in events:
        await jetstream.publish_async(subject, orjson.dumps(each))
    answer = await caller.publish(*events)
    await jetstream.publish_async_completed()
    await platform.settled()

    assert answer.status == 202
    assert platform.database["events"].count_documents({"organisation": organisation}) == 20
    runs = list(platform.database["runs"].find({"organisation": organisation}))
    assert {run["_id"] for run in runs} == {run["id"] for run in answer.body["agent_runs"]}
    assert {(run["status"], run["attempt"]) for run in runs} == {("completed", 1)}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"no event", "not JSON"),
        (b'{"type": "checkin.submitted"}', "'specversion' is missing"),
        (b'{"specversion": "1.0", "type": "checkin.submited"}', "Did you mean 'checkin.submitted'"),
    ],
    ids=["not JSON", "without an attribute", "of an unknown type"],
)
async def test_what_is_no_event_is_kept_as_a_dead_letter_with_the_reason(
    platform: Platform, organisation: str, jetstream: JetStreamContext, payload: bytes, reason: str
) -> None:
    subject = event_subject("checkin.submitted", organisation)
    marked = payload + b" " * len(organisation)

    await jetstream.publish(subject, marked)
    letter = await _dead_letter_of(jetstream, marked)

    assert reason in _reason(letter)
    assert (letter.headers or {})["Towpath-Subject"] == subject
    assert platform.database["events"].count_documents({"organisation": organisation}) == 0


async def test_an_event_under_the_subject_of_another_organisation_is_a_dead_letter(
    platform: Platform, organisation: str, jetstream: JetStreamContext
) -> None:
    payload = orjson.dumps(checkin(organisation))

    await jetstream.publish(event_subject("checkin.submitted", f"{organisation}-other"), payload)
    letter = await _dead_letter_of(jetstream, payload)

    assert f"organisation '{organisation}', but it was published on" in _reason(letter)
    assert platform.database["events"].count_documents({"organisation": {"$regex": f"^{organisation}"}}) == 0


async def test_an_event_under_the_subject_of_another_type_is_a_dead_letter(
    platform: Platform, organisation: str, jetstream: JetStreamContext
) -> None:
    payload = orjson.dumps(checkin(organisation))

    await jetstream.publish(event_subject("doc.created", organisation), payload)
    letter = await _dead_letter_of(jetstream, payload)

    assert "type 'checkin.submitted'" in _reason(letter)
    assert platform.database["events"].count_documents({"organisation": organisation}) == 0


async def test_an_id_that_is_taken_by_another_event_is_a_dead_letter_and_changes_nothing(
    platform: Platform, organisation: str, jetstream: JetStreamContext
) -> None:
    caller = platform.caller(organisation)
    first = checkin(organisation)
    run_id = await caller.start_run(first)
    payload = orjson.dumps(checkin(organisation, "I prefer reviews after lunch.", id=first["id"]))

    await jetstream.publish(event_subject("checkin.submitted", organisation), payload)
    letter = await _dead_letter_of(jetstream, payload)

    assert _reason(letter).startswith("event_id_reused")
    assert [run["id"] for run in await caller.runs()] == [run_id]


async def test_a_forged_event_of_the_platform_is_a_dead_letter(
    platform: Platform, organisation: str, jetstream: JetStreamContext
) -> None:
    moment = "2026-11-20T08:00:00Z"
    fired: Document = {
        "fire_id": "fire-1",
        "agent_key": "operating_pulse",
        "schedule": "every 900 s",
        "due_at": moment,
        "fired_at": moment,
        "date": "2026-11-20",
    }
    payload = orjson.dumps(event("schedule.fired", organisation, fired))

    await jetstream.publish(event_subject("schedule.fired", organisation), payload)
    letter = await _dead_letter_of(jetstream, payload)

    assert "Only Towpath itself publishes 'schedule.fired'" in _reason(letter)
    assert platform.database["runs"].count_documents({"organisation": organisation}) == 0
