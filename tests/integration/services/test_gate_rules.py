"""What bindings, hours and filters make of events at the gate, as it is recorded."""

from contracts.active_hours import ActiveHours
from contracts.agents import Scope
from contracts.lanes import Lane
from shared.domain.binding import Binding, ScopeRef
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from tests.integration.services.test_gate import a_gate, an_arrival, checkin, decisions_of, runs_of
from tests.unit.shared.given import a_spec, triggered

ADA = ScopeRef(Scope.USER, "ada")


async def test_a_run_is_queued_in_the_lane_that_a_binding_sets(mongo: Mongo, publisher: Publisher) -> None:
    urgent = Binding("acme", ADA, "noter", priority_level=Lane.CRITICAL)

    await a_gate(mongo, publisher, urgent, agents=(triggered("noter"),)).consider([an_arrival(checkin("a"))])

    (run,) = await runs_of(mongo)
    assert (run["lane"], run["rank"]) == ("critical", 0)


async def test_an_agent_outside_its_hours_is_recorded_with_the_window_and_its_next_opening(
    mongo: Mongo, publisher: Publisher
) -> None:
    event = checkin("a")
    nights = Binding("acme", ADA, "noter", active_hours=ActiveHours(start="22:00", end="06:00"))

    await a_gate(mongo, publisher, nights, agents=(triggered("noter"),)).consider([an_arrival(event)])

    (decision,) = await decisions_of(mongo, event)
    assert (decision["outcome"], decision["reason"]) == ("skipped", "outside_active_hours")
    assert decision["decided_by"] == {"scope": "user", "scope_id": "ada"}
    assert decision["explanation"] == (
        "noter is outside its active hours, 22:00 to 06:00 UTC as the binding of user ada says;"
        " they begin next at 2026-11-20 22:00 UTC."
    )
    assert await runs_of(mongo) == []


async def test_what_a_filter_keeps_out_and_what_it_fails_on_is_recorded_and_starts_nothing(
    mongo: Mongo, publisher: Publisher
) -> None:
    target = {"type": "thing", "id": "{id}"}
    agents = tuple(
        a_spec(key, triggers=[{"event": "checkin.submitted", "when": when, "target": target}])
        for key, when in (("a", "event.userid == 'ada'"), ("b", "event.userid == 'bob'"), ("c", "data.missing == 1"))
    )
    event = checkin("a")

    await a_gate(mongo, publisher, agents=agents).consider([an_arrival(event)])

    decisions = await decisions_of(mongo, event)
    assert [decision["reason"] for decision in decisions] == ["enabled", "filtered", "filter_failed"]
    assert "`event.userid == 'bob'`" in decisions[1]["explanation"]
    assert [run["agent_key"] for run in await runs_of(mongo)] == ["a"]
