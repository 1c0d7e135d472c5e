"""Fires of an Agent that still has a run open: one query where it matters, and none elsewhere."""

from datetime import timedelta

import pytest
from nats.aio.client import Client

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.subjects import cancel_subject
from services.gating.gate import Gate
from shared.messaging.cancelling import claims_of
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from tests.integration.services.test_gate import Record, a_gate, an_arrival, checkin, decisions_of
from tests.integration.store.given import claimed
from tests.support.plans import plan_of
from tests.unit.shared.given import NOW, a_spec, an_event, triggered


def pulse(overlap: str) -> AgentSpec:
    trigger = {"overlap": overlap, "target": {"type": "day", "id": "{data.date}"}}
    return a_spec("pulse", schedule_trigger=trigger)


def fired(minute: int = 0, **attributes: str) -> Event:
    due_at = NOW + timedelta(minutes=minute)
    place = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"} | attributes
    data = {"agent_key": "pulse", "due_at": due_at.isoformat(), "date": "2026-11-20"}
    return an_event("schedule.fired", id=f"fire-{minute}", data=data, **place)


async def fire(gate: Gate, *events: Event) -> None:
    await gate.consider([an_arrival(event, is_accepted=True) for event in events])


async def run_of(mongo: Mongo, event: Event) -> Record:
    run: Record | None = await mongo.database["runs"].find_one({"event_key": event.key})
    assert run is not None
    return run


async def outcome_of(mongo: Mongo, event: Event) -> tuple[str, str]:
    (decision,) = await decisions_of(mongo, event)
    return decision["outcome"], decision["reason"]


async def test_queue_starts_every_fire(client: Client, mongo: Mongo, publisher: Publisher) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse("queue"),))

    await fire(gate, fired(0))
    await fire(gate, fired(15))

    assert [(await run_of(mongo, fired(minute)))["status"] for minute in (0, 15)] == ["queued", "queued"]


async def test_skip_records_why_and_starts_again_once_the_run_has_ended(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse("skip"),))
    await fire(gate, fired(0))
    open_run = (await run_of(mongo, fired(0)))["_id"]

    await fire(gate, fired(15), fired(20))
    await mongo.database["runs"].update_one({"_id": open_run}, {"$set": {"status": "completed"}})
    await fire(gate, fired(30))

    assert [await outcome_of(mongo, fired(minute)) for minute in (0, 15, 20, 30)] == [
        ("run", "enabled"),
        ("skipped", "overlap"),
        ("skipped", "overlap"),
        ("run", "enabled"),
    ]
    assert open_run in (await decisions_of(mongo, fired(15)))[0]["explanation"]
    assert await mongo.database["runs"].count_documents({}) == 2


async def test_replace_cancels_what_is_queued_and_starts(client: Client, mongo: Mongo, publisher: Publisher) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse("replace"),))
    await fire(gate, fired(0))

    await fire(gate, fired(15))
    before, now = await run_of(mongo, fired(0)), await run_of(mongo, fired(15))

    assert (before["status"], before["cancel"]["reason"]) == ("cancelled", "replaced by fire-15")
    assert (now["status"], now["cancel"]) == ("queued", None)


async def test_replace_has_the_runner_told_to_end_what_is_running(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    told = await client.subscribe(cancel_subject("runner-1"))
    gate = a_gate(mongo, publisher, agents=(pulse("replace"),))
    await fire(gate, fired(0))
    claim = await claimed(RunStore(mongo.database), (await run_of(mongo, fired(0)))["_id"], owner="runner-1")

    await fire(gate, fired(15))

    assert claims_of((await told.next_msg(timeout=5)).data, "runner-1") == [claim]
    before = await run_of(mongo, fired(0))
    assert (before["status"], before["cancel"]["requested_by"]) == ("running", "towpath")


async def test_of_fires_that_come_together_the_last_one_stays(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse("replace"),))

    await fire(gate, fired(30), fired(0), fired(15))
    await fire(gate, fired(30), fired(0), fired(15))

    statuses = [(await run_of(mongo, fired(minute)))["status"] for minute in (0, 15, 30)]
    assert statuses == ["cancelled", "cancelled", "queued"]


@pytest.mark.parametrize("overlap", ["skip", "replace"])
async def test_a_crash_before_the_decision_was_recorded_is_made_up_for(
    client: Client, mongo: Mongo, publisher: Publisher, overlap: str
) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse(overlap),))
    await fire(gate, fired(0))
    await mongo.database["events"].delete_many({})

    await fire(gate, fired(0))

    assert await outcome_of(mongo, fired(0)) == ("run", "enabled")
    assert (await run_of(mongo, fired(0)))["status"] == "queued"


async def test_a_crash_before_the_replaced_run_was_cancelled_is_made_up_for(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse("replace"),))
    await fire(gate, fired(0))
    await fire(gate, fired(15))
    before = await run_of(mongo, fired(0))
    await mongo.database["runs"].update_one({"_id": before["_id"]}, {"$set": {"status": "queued", "cancel": None}})

    await gate.consider([an_arrival(fired(15), is_accepted=True, is_first=False)])

    assert (await run_of(mongo, fired(0)))["status"] == "cancelled"


@pytest.mark.parametrize(
    "elsewhere",
    [{"userid": "bob"}, {"projectid": "gemini"}, {"organisationid": "other"}],
    ids=lambda each: next(iter(each)),
)
async def test_runs_of_others_are_in_nobodys_way(
    client: Client, mongo: Mongo, publisher: Publisher, elsewhere: dict[str, str]
) -> None:
    gate = a_gate(mongo, publisher, agents=(pulse("skip"),))
    await fire(gate, fired(0, **elsewhere))

    await fire(gate, fired(15))

    assert await outcome_of(mongo, fired(15)) == ("run", "enabled")


async def test_open_runs_are_asked_for_only_where_an_agent_says_so(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    async def asks(overlap: str, *events: Event) -> bool:
        gate = a_gate(mongo, publisher, agents=(pulse(overlap), triggered("noter")))
        return any("user: 1, status: 1" in plan for plan in await plan_of(mongo, lambda _: fire(gate, *events)))

    assert await asks("skip", fired(0), checkin("a"))
    assert not await asks("queue", fired(15), checkin("b"))
    assert not await asks("skip", checkin("c"))
