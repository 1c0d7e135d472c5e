"""Debounced runs and cooldowns on a real database: one run takes what comes, whoever decides it and however often."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from contracts.agents import AgentSpec
from contracts.envelope import Event
from services.gating.gate import Gate
from services.runner.gathered import with_its_event
from shared.admission import Admission
from shared.domain.binding import Binding
from shared.domain.debounce import GATHERED_AT_MOST
from shared.domain.decide import decide, record
from shared.domain.decision import Reason, Skipped
from shared.domain.event import accepted_event
from shared.domain.slot import QueueLimits
from shared.messaging.publisher import Publisher
from shared.store.events import EventStore, GatedEvent
from shared.store.mongo import Mongo
from shared.store.retention import Retention
from shared.store.run_ends import Cancel
from shared.store.runs import RunStore
from shared.store.slots import SlotStore
from tests.integration.services.test_gate import Record, a_gate, an_arrival, decisions_of, disabled, runs_of
from tests.support.plans import plan_of
from tests.unit.shared.given import NOW, a_spec, an_event, triggered

DEBOUNCE, LONGEST = 5, 30


def reviewer(**changes: Any) -> AgentSpec:
    target = {"type": "doc", "id": "{data.doc_id}"}
    waits = {"debounce_seconds": DEBOUNCE, "max_wait_seconds": LONGEST}
    return a_spec("reviewer", triggers=[{"event": "doc.updated", "target": target, **waits}], **changes)


def cooling() -> AgentSpec:
    target = {"type": "doc", "id": "{data.doc_id}"}
    return a_spec("reviewer", triggers=[{"event": "doc.updated", "target": target}], cooldown_seconds=60)


def edit(number: int, doc: str = "plan", **attributes: str) -> Event:
    place = {"organisationid": "acme", "projectid": "apollo", "userid": "ada"} | attributes
    return an_event("doc.updated", id=f"edit-{number}", data={"doc_id": doc, "text": f"text {number}"}, **place)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def gate_at(mongo: Mongo, publisher: Publisher, seconds: float = 0, *bindings: Binding, **given: Any) -> Gate:
    return a_gate(mongo, publisher, *bindings, clock=lambda: after(seconds), **{"agents": (reviewer(),)} | given)


async def consider(gate: Gate, *events: Event) -> None:
    await gate.consider([an_arrival(event) for event in events])


async def accept(mongo: Mongo, *events: Event, seconds: float = 0) -> None:
    accepted = [
        accepted_event(event, event.to_json().decode(), after(seconds), position)
        for position, event in enumerate(events)
    ]
    await EventStore(mongo.database).accept(accepted)


async def outcome_of(mongo: Mongo, event: Event) -> tuple[str, str | None]:
    (decision,) = await decisions_of(mongo, event)
    return decision["outcome"], decision["run_id"]


async def the_run(mongo: Mongo) -> Record:
    (run,) = await runs_of(mongo)
    return run


async def release(mongo: Mongo, publisher: Publisher, run: Record) -> None:
    """Let a run go as the sweep does."""
    runs = RunStore(mongo.database)
    admission = Admission(SlotStore(mongo.database), runs, publisher, QueueLimits(organisation=512), lambda: NOW)
    await admission.release([run])


async def test_events_of_one_target_are_one_run_on_the_last_of_them(mongo: Mongo, publisher: Publisher) -> None:
    await consider(gate_at(mongo, publisher), edit(1), edit(2), edit(9, "other"))
    await consider(gate_at(mongo, publisher, 2), edit(3, userid="bob"))

    of_plan, of_other = sorted(await runs_of(mongo), key=lambda run: run["target"]["id"], reverse=True)
    assert (of_plan["event_id"], of_plan["user"], of_plan["waiting_for"]["what"]) == ("edit-3", "bob", "debounce")
    assert of_plan["gathering"]["events"] == [edit(1).key, edit(2).key, edit(3).key]
    outcomes = [await outcome_of(mongo, edit(number)) for number in (1, 2, 3)]
    assert outcomes == [("run", of_plan["_id"]), ("coalesced", of_plan["_id"]), ("coalesced", of_plan["_id"])]
    assert of_other["event_id"] == "edit-9"


async def test_each_event_has_the_run_wait_again_up_to_the_longest_wait(mongo: Mongo, publisher: Publisher) -> None:
    due = []
    for number, seconds in enumerate([0, 4, 8, 27]):
        await consider(gate_at(mongo, publisher, seconds), edit(number))
        run = await the_run(mongo)
        due.append((run["waiting_for"]["until"], run["sweep_at"]))

    assert due == [(after(seconds), after(seconds)) for seconds in (5, 9, 13, LONGEST)]


async def test_what_was_accepted_last_counts_whoever_is_decided_last(mongo: Mongo, publisher: Publisher) -> None:
    await accept(mongo, edit(1), edit(2), edit(3))
    gate = gate_at(mongo, publisher)

    await gate.consider([an_arrival(edit(3), is_accepted=True), an_arrival(edit(1), is_accepted=True)])
    await gate.consider([an_arrival(edit(2), is_accepted=True)])

    assert (await the_run(mongo))["event_id"] == "edit-3"
    assert (await outcome_of(mongo, edit(1)))[0] == "run"


async def test_two_gates_open_one_run(mongo: Mongo, publisher: Publisher) -> None:
    gates = gate_at(mongo, publisher), gate_at(mongo, publisher)

    await asyncio.gather(*(consider(gates[number % 2], edit(number)) for number in range(12)))

    run = await the_run(mongo)
    assert sorted(run["gathering"]["events"]) == sorted(edit(number).key for number in range(12))
    outcomes = sorted([await outcome_of(mongo, edit(number)) for number in range(12)])
    assert outcomes == [("coalesced", run["_id"])] * 11 + [("run", run["_id"])]


@pytest.mark.parametrize("seconds", [0, 600])
async def test_a_crash_before_the_decision_was_recorded_is_made_up_for(
    mongo: Mongo, publisher: Publisher, seconds: float
) -> None:
    await consider(gate_at(mongo, publisher), edit(1), edit(2))
    run = await the_run(mongo)
    await mongo.database["events"].update_many(
        {}, {"$set": {"gated": False}, "$unset": {"decisions": ""}, "$currentDate": {"sweep_at": True}}
    )
    if seconds:
        await release(mongo, publisher, run)

    again = [an_arrival(edit(number), is_accepted=True, is_first=False) for number in (2, 1)]
    await gate_at(mongo, publisher, seconds).consider(again)

    assert await outcome_of(mongo, edit(1)) == ("run", run["_id"])
    assert await outcome_of(mongo, edit(2)) == ("coalesced", run["_id"])
    assert len((await the_run(mongo))["gathering"]["events"]) == 2


async def test_a_second_delivery_changes_nothing(mongo: Mongo, publisher: Publisher) -> None:
    await consider(gate_at(mongo, publisher), edit(1), edit(2))
    before = await the_run(mongo)

    again = [an_arrival(edit(number), is_accepted=True, is_first=False) for number in (1, 2)]
    await gate_at(mongo, publisher, 3).consider(again)

    assert await the_run(mongo) == before


async def test_a_run_that_was_let_go_takes_no_more(mongo: Mongo, publisher: Publisher) -> None:
    await consider(gate_at(mongo, publisher), edit(1))
    run = await the_run(mongo)
    await release(mongo, publisher, run)
    (claimed,) = await RunStore(mongo.database).claim([run["_id"]], "runner-1", 60)

    await consider(gate_at(mongo, publisher, 6), edit(2))

    assert (claimed["event_id"], claimed["waiting_for"]) == ("edit-1", None)
    outcome, second = await outcome_of(mongo, edit(2))
    assert (outcome, second != run["_id"], len(await runs_of(mongo))) == ("run", True, 2)


async def test_an_event_that_races_with_the_release_is_in_one_run_and_is_the_last_of_it(
    mongo: Mongo, publisher: Publisher
) -> None:
    for number in range(0, 20, 2):
        doc = f"doc-{number}"
        await consider(gate_at(mongo, publisher), edit(number, doc))
        (run,) = [each for each in await runs_of(mongo) if each["target"]["id"] == doc]

        late = edit(number + 1, doc)
        await asyncio.gather(release(mongo, publisher, run), consider(gate_at(mongo, publisher, 5), late))

        _, taken_by = await outcome_of(mongo, late)
        by_id = {each["_id"]: each for each in await runs_of(mongo)}
        assert by_id[str(taken_by)]["event_key"] == late.key
        assert by_id[run["_id"]]["waiting_for"] is None


async def test_a_cancelled_run_takes_no_more(mongo: Mongo, publisher: Publisher) -> None:
    await consider(gate_at(mongo, publisher), edit(1))
    await RunStore(mongo.database).cancel({}, Cancel("ada", NOW))

    await consider(gate_at(mongo, publisher, 1), edit(2))

    assert sorted([run["status"] for run in await runs_of(mongo)]) == ["cancelled", "queued"]


async def test_a_run_that_has_taken_all_that_it_may_is_due_at_once(mongo: Mongo, publisher: Publisher) -> None:
    edits = [edit(number) for number in range(GATHERED_AT_MOST)]
    await consider(gate_at(mongo, publisher), edits[0])
    await consider(gate_at(mongo, publisher, 1), *edits[1:])
    full = await the_run(mongo)

    await consider(gate_at(mongo, publisher, 1), edit(GATHERED_AT_MOST))

    assert (full["sweep_at"], full["event_id"]) == (after(1), edits[-1].id)
    assert len(await runs_of(mongo)) == 2


async def test_the_organisation_and_the_version_are_part_of_what_is_shared(mongo: Mongo, publisher: Publisher) -> None:
    await consider(gate_at(mongo, publisher), edit(1), edit(1, organisationid="other"))

    assert sorted([run["organisation"] for run in await runs_of(mongo)]) == ["acme", "other"]


async def test_the_runner_works_on_the_last_event_whose_decision_names_the_run(
    mongo: Mongo, publisher: Publisher
) -> None:
    """Another gate, which knew of a binding already, recorded its decision on the last event first."""
    events, runs = EventStore(mongo.database), RunStore(mongo.database)
    await consider(gate_at(mongo, publisher), edit(1), edit(2))
    await accept(mongo, edit(3, userid="bob"), seconds=1)
    skipped = record(edit(3).key, Skipped("reviewer", 1, Reason.DISABLED, disabled("reviewer").at))
    gate = gate_at(mongo, publisher, 1)
    starts = gate.starts
    await starts.settle({edit(3).key: edit(3, userid="bob")}, _decided(gate, edit(3, userid="bob")), after(1))
    await events.record_decisions([GatedEvent(edit(3).key, [skipped])], NOW)
    run = await the_run(mongo)
    await release(mongo, publisher, run)
    (claimed,) = await runs.claim([run["_id"]], "runner-1", 60)

    stored = (await events.load([claimed["event_key"]]))[claimed["event_key"]]
    its, event = await with_its_event(claimed, stored, events, runs)

    assert (claimed["event_id"], claimed["user"]) == ("edit-3", "bob")
    assert event is not None
    assert (its["event_id"], its["user"], event["_id"]) == ("edit-2", "ada", edit(2).key)
    assert (await the_run(mongo))["event_id"] == "edit-2"


def _decided(gate: Gate, event: Event) -> Any:
    return {event.key: decide(event, gate.configuration, after(1))}


async def test_events_go_with_age_only_after_the_run_that_took_them(mongo: Mongo, publisher: Publisher) -> None:
    await consider(gate_at(mongo, publisher), edit(1), edit(2))
    await EventStore(mongo.database).settle([edit(1).key, edit(2).key])
    retention, later = Retention(mongo.database), after(86_400)

    async def forget() -> int:
        return sum([await retention.delete_events(each) async for each in retention.old_events(later, 10)])

    kept = await forget()
    await mongo.database["runs"].update_many(
        {}, {"$set": {"status": "completed", "finished_at": NOW}, "$unset": {"sweep_at": ""}}
    )
    async for ended in retention.ended_runs(later, 10):
        await retention.delete_runs(ended, later)
    retired = [
        decision.get("is_retired") for event in (edit(1), edit(2)) for decision in await decisions_of(mongo, event)
    ]

    assert (kept, retired, await forget()) == (0, [True, True], 2)


async def test_within_a_cooldown_no_other_run_starts_for_the_target(mongo: Mongo, publisher: Publisher) -> None:
    agents = (cooling(),)
    await consider(gate_at(mongo, publisher, agents=agents), edit(1), edit(2), edit(3, "other"))
    await consider(gate_at(mongo, publisher, 59, agents=agents), edit(4))
    await consider(gate_at(mongo, publisher, 60, agents=agents), edit(5))

    (first,) = await decisions_of(mongo, edit(1))
    (skipped,) = await decisions_of(mongo, edit(4))
    outcomes = [(await outcome_of(mongo, each))[0] for each in (edit(1), edit(2), edit(3, "other"), edit(4), edit(5))]
    assert outcomes == ["run", "skipped", "run", "skipped", "run"]
    assert skipped["reason"] == "cooldown"
    assert "until 2026-11-20 09:01:00 UTC" in skipped["explanation"]
    assert first["run_id"] in skipped["explanation"]


async def test_a_cooldown_holds_for_two_gates_and_a_repeated_event_keeps_its_run(
    mongo: Mongo, publisher: Publisher
) -> None:
    gates = [gate_at(mongo, publisher, agents=(cooling(),)) for _ in range(2)]
    await asyncio.gather(*(consider(gates[number % 2], edit(number)) for number in range(8)))
    run = await the_run(mongo)
    first = next(edit(number) for number in range(8) if edit(number).key == run["event_key"])
    await mongo.database["events"].delete_many({"_id": first.key})

    await consider(gates[0], first)

    assert await outcome_of(mongo, first) == ("run", run["_id"])
    assert len(await runs_of(mongo)) == 1


async def test_a_run_that_waits_takes_events_within_its_cooldown(mongo: Mongo, publisher: Publisher) -> None:
    agents = (reviewer(cooldown_seconds=60),)
    await consider(gate_at(mongo, publisher, agents=agents), edit(1), edit(2))
    await release(mongo, publisher, await the_run(mongo))
    await consider(gate_at(mongo, publisher, 6, agents=agents), edit(3))

    assert [(await outcome_of(mongo, edit(number)))[0] for number in (1, 2, 3)] == ["run", "coalesced", "skipped"]


async def test_the_database_is_asked_only_for_agents_that_wait_or_cool(mongo: Mongo, publisher: Publisher) -> None:
    async def asked(spec: AgentSpec, number: int) -> str:
        gate = gate_at(mongo, publisher, agents=(spec,))
        return str(await plan_of(mongo, lambda _: consider(gate, edit(number))))

    usual = triggered("reviewer", "doc.updated", "{data.doc_id}")
    plans = [await asked(spec, number) for number, spec in enumerate((usual, reviewer()))]

    assert ["gathering.events" in plan for plan in plans] == [False, True]
