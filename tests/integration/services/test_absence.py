"""A fire that looks for an event of its member: one question for a batch, and none for other fires."""

from datetime import timedelta

from contracts.agents import AgentSpec
from contracts.envelope import Event
from services.gating.gate import Gate
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.sightings import SightingStore, Sought
from tests.integration.services.test_gate import Record, a_gate, an_arrival, checkin, decisions_of
from tests.support.plans import is_indexed, plan_of
from tests.unit.shared.given import NOW, a_spec, an_event

HOUR = timedelta(hours=1)


def reminder(hours: int = 2) -> AgentSpec:
    unless = {"event": "checkin.submitted", "within_seconds": hours * 3_600}
    return a_spec("reminder", schedule_trigger={"target": {"type": "day", "id": "{data.date}"}, "unless": unless})


def fired(user: str = "ada", due_at: str = NOW.isoformat(), **attributes: str) -> Event:
    place = {"organisationid": "acme", "projectid": "apollo", "userid": user} | attributes
    data = {"agent_key": "reminder", "due_at": due_at, "date": "2026-11-20"}
    return an_event("schedule.fired", id=f"fire-{user}-{due_at}", data=data, **place)


async def fire(gate: Gate, *events: Event) -> None:
    await gate.consider([an_arrival(event, is_accepted=True) for event in events])


async def decision_on(mongo: Mongo, event: Event) -> Record:
    (decision,) = await decisions_of(mongo, event)
    return decision


async def test_a_fire_runs_unless_the_member_has_such_an_event_in_time(mongo: Mongo) -> None:
    gate, came = a_gate(mongo, Publisher(), agents=(reminder(),)), checkin("here")
    elsewhere = [
        an_event(id="gemini", organisationid="acme", projectid="gemini", userid="bob"),
        an_event(id="other", organisationid="other", projectid="apollo", userid="bob"),
    ]
    await gate.consider([an_arrival(event) for event in (came, *elsewhere)])

    await fire(gate, fired("ada"), fired("bob"))

    skipped = await decision_on(mongo, fired("ada"))
    assert (skipped["outcome"], skipped["reason"]) == ("skipped", "event_seen")
    assert f"checkin.submitted {came.key} came at 2026-11-20 09:00:00 UTC" in skipped["explanation"]
    assert (await decision_on(mongo, fired("bob")))["outcome"] == "run"


async def test_an_event_of_too_long_ago_does_not_count(mongo: Mongo) -> None:
    gate = a_gate(mongo, Publisher(), agents=(reminder(),))
    await gate.consider([an_arrival(checkin("here"))])
    in_time, late = fired(due_at=(NOW + 2 * HOUR).isoformat()), fired(due_at=(NOW + 3 * HOUR).isoformat())

    await fire(gate, in_time, late)

    outcomes = [(await decision_on(mongo, event))["outcome"] for event in (in_time, late)]
    assert outcomes == ["skipped", "run"]


async def test_the_question_uses_its_index(mongo: Mongo) -> None:
    events = mongo.database["events"]
    who = {"organisation": "acme", "project": "apollo", "type": "checkin.submitted", "accepted_at": NOW}
    await events.insert_many([{"_id": f"ev_{n}", "user": f"u{n}", **who} for n in range(50)])
    sought = {Sought("acme", "apollo", f"u{n}", "checkin.submitted") for n in range(3)}

    latest = await SightingStore(mongo.database).latest(sought, NOW - HOUR)

    assert {each.user: found.event_key for each, found in latest.items()} == {f"u{n}": f"ev_{n}" for n in range(3)}
    (plan,) = await plan_of(mongo, lambda mongo: SightingStore(mongo.database).latest(sought, NOW - HOUR))
    assert is_indexed(plan)
    # Each member by an index of its own bounds; which of the two is quicker is for the server to say.
    assert plan.count("organisation: 1, user: 1") == 3
