import orjson

from contracts.registry import parse_json
from infra.bench.agents import NOOP, RUNS_NOTHING, RUNS_OF
from infra.bench.load.bodies import Bodies
from shared.domain.configuration import AgentVersion, Configuration
from shared.domain.decide import decide
from shared.domain.decision import RunDecided
from tests.unit.shared.given import NOW


def test_every_event_is_valid_and_about_500_bytes_long() -> None:
    for event_type in (RUNS_OF, RUNS_NOTHING):
        body = Bodies(event_type, "bench-1", "tag").event(7)

        assert parse_json(body).id == "tag-7"
        assert 400 < len(body) < 600


def test_events_differ_in_their_ids_and_tickets() -> None:
    bodies = Bodies(RUNS_OF, "bench-1", "tag")
    events = [parse_json(bodies.event(number)) for number in range(3)]

    assert len({event.key for event in events}) == 3
    assert len({event.data.ticket_id for event in events}) == 3


def test_a_batch_holds_consecutive_events() -> None:
    bodies = Bodies(RUNS_OF, "bench-1", "tag")

    assert [event["id"] for event in orjson.loads(bodies.batch(5, 3))] == ["tag-5", "tag-6", "tag-7"]


def test_the_run_that_is_waited_for_is_the_one_that_the_gate_starts() -> None:
    bodies = Bodies(RUNS_OF, "bench-1", "tag")
    event = parse_json(bodies.event(7))
    configuration = Configuration()
    configuration.replace_agents([AgentVersion(1, NOOP)])

    (decision,) = decide(event, configuration, NOW)

    assert isinstance(decision, RunDecided)
    assert decision.run_id(event.key) == bodies.run_id(7, NOOP.key)


def test_the_other_type_starts_nothing() -> None:
    configuration = Configuration()
    configuration.replace_agents([AgentVersion(1, NOOP)])

    assert decide(parse_json(Bodies(RUNS_NOTHING, "bench-1", "tag").event(1)), configuration, NOW) == []
