"""What a fire does while a run is open."""

from datetime import timedelta

import pytest

from contracts.agents import AgentSpec
from contracts.envelope import Event
from contracts.ids import run_id
from services.gating.overlap import Decided, guarded_fires, without_overlap
from shared.domain.configuration import Configuration
from shared.domain.decide import decide, record
from shared.domain.decision import Decision, Reason, RunDecided, Skipped
from shared.store.open_runs import OpenRun, Work
from tests.unit.shared.given import NOW, a_spec, a_version, an_event, triggered

ADAS = Work("acme", "apollo", "ada", "pulse")


def pulse(overlap: str) -> AgentSpec:
    trigger = {"overlap": overlap, "target": {"type": "day", "id": "{data.date}"}}
    return a_spec("pulse", schedule_trigger=trigger)


def configured(*specs: AgentSpec) -> Configuration:
    configuration = Configuration()
    configuration.replace_agents([a_version(spec) for spec in specs])
    return configuration


def fired(minute: int = 0, user: str = "ada", agent_key: str = "pulse") -> Event:
    return an_event(
        "schedule.fired",
        id=f"fire-{user}-{minute}",
        organisationid="acme",
        projectid="apollo",
        userid=user,
        data={"agent_key": agent_key, "due_at": (NOW + timedelta(minutes=minute)).isoformat(), "date": "2026-11-20"},
    )


def decided(events: list[Event], configuration: Configuration) -> Decided:
    return {event.key: decide(event, configuration, NOW) for event in events}


def with_open(events: list[Event], overlap: str, *open_runs: OpenRun) -> list[Decision]:
    """Return the decision of each event, in their order, while these runs of Ada are open."""
    configuration = configured(pulse(overlap))
    fires = guarded_fires(events, decided(events, configuration), configuration)
    settled = without_overlap(fires, {ADAS: list(open_runs)} if open_runs else {})
    return [settled[event.key][0] for event in events]


def run_of(event: Event) -> str:
    return run_id(event.key, "pulse", "day", "2026-11-20")


def test_only_fires_of_agents_that_say_so_are_looked_at() -> None:
    configuration = configured(pulse("queue"), triggered("noter"))
    events = [fired(), an_event(), fired(agent_key="gone")]

    assert guarded_fires(events, decided(events, configuration), configuration) == []


def test_a_disabled_agent_is_skipped_for_that_and_not_looked_at() -> None:
    configuration = configured(pulse("skip"))
    skipped: Decided = {fired().key: [Skipped("pulse", 1, Reason.DISABLED, None)]}

    assert guarded_fires([fired()], skipped, configuration) == []


@pytest.mark.parametrize("overlap", ["skip", "replace"])
def test_with_nothing_open_it_starts(overlap: str) -> None:
    (decision,) = with_open([fired()], overlap)

    assert isinstance(decision, RunDecided)
    assert decision.replaces == ()


def test_skip_does_not_start_and_names_the_open_run() -> None:
    (decision,) = with_open([fired()], "skip", OpenRun("run_open", "ev_1"))

    assert decision == Skipped("pulse", 1, Reason.OVERLAP, None, "run_open")
    assert record("ev", decision)["reason"] == "overlap"
    assert "run_open is open" in str(record("ev", decision)["explanation"])


def test_replace_starts_and_names_the_runs_whose_place_it_takes() -> None:
    (decision,) = with_open([fired()], "replace", OpenRun("run_a", "ev_1"), OpenRun("run_b", "ev_2"))

    assert isinstance(decision, RunDecided)
    assert record("ev", decision)["replaces"] == ["run_a", "run_b"]
    assert str(record("ev", decision)["explanation"]).endswith("in place of run_a, run_b.")


def test_fires_that_come_together_see_each_other_in_the_order_of_their_moments() -> None:
    later, earlier = fired(15), fired(0)

    skipping = with_open([later, earlier], "skip")
    replacing = with_open([later, earlier], "replace")

    assert skipping[0] == Skipped("pulse", 1, Reason.OVERLAP, None, run_of(earlier))
    assert isinstance(skipping[1], RunDecided)
    assert [each.replaces for each in replacing if isinstance(each, RunDecided)] == [(run_of(earlier),), ()]


@pytest.mark.parametrize("overlap", ["skip", "replace"])
def test_a_fire_that_is_delivered_again_is_not_in_its_own_way(overlap: str) -> None:
    first, second = fired(0), fired(15)
    left_behind = [OpenRun(run_of(event), event.key) for event in (first, second)]

    assert with_open([first, second], overlap, *left_behind) == with_open([first, second], overlap)


def test_another_users_run_is_in_nobodys_way() -> None:
    of_ada, of_bob = with_open([fired(), fired(user="bob")], "skip", OpenRun("run_open", "ev_1"))

    assert isinstance(of_ada, Skipped)
    assert isinstance(of_bob, RunDecided)


def test_a_decision_without_overlap_is_recorded_as_before() -> None:
    (decision,) = with_open([fired()], "replace")

    assert "replaces" not in record("ev", decision)
