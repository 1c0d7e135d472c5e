"""Decided runs as they are queued."""

from datetime import timedelta
from typing import Any

import pytest

from contracts.agent_kinds import AgentStatus
from contracts.agents import AgentSpec, Scope
from contracts.lanes import Lane
from services.gating.queueing import new_run, verdict_fields
from shared.admission import Candidate, Verdict
from shared.domain.binding import Binding, ScopeRef
from shared.domain.configuration import Configuration
from shared.domain.run import Waiting
from shared.domain.slot import OwnLimits, QueueLimits, Slot, paused_key
from shared.store.run_documents import NewRun, run_document, waiting_document
from tests.unit.shared.given import NOW, a_version, an_event, triggered

EVENT = an_event(organisationid="acme", projectid="apollo", userid="ada")
DECISION = {
    "agent_key": "noter",
    "agent_version": 1,
    "run_id": "run_1",
    "target": {"type": "thing", "id": EVENT.id},
    "lane": "high",
}
PAUSED = Binding("acme", ScopeRef(Scope.PROJECT, "apollo"), "noter", paused=True)


def queued(spec: AgentSpec | None, *bindings: Binding, **said: int) -> tuple[NewRun, Candidate | None]:
    configuration = Configuration()
    configuration.replace_agents([] if spec is None else [a_version(spec)])
    configuration.replace_bindings(bindings)
    return new_run(EVENT, DECISION | said, configuration, QueueLimits(organisation=5), NOW)


def test_a_run_is_queued_for_the_places_that_its_agent_needs() -> None:
    run, candidate = queued(triggered(max_concurrent_tasks=2, max_concurrent_per_target=1))

    assert candidate is not None
    assert [slot.kind for slot in candidate.slots] == [Waiting.TARGET, Waiting.AGENT, Waiting.ORGANISATION]
    assert (run.id, candidate.run_id, run.slots) == ("run_1", "run_1", tuple(slot.key for slot in candidate.slots))
    assert (run.lane, run.own_limits, run.waiting_for) == (Lane.HIGH, OwnLimits(1, 2), None)


def test_a_run_is_pinned_to_the_version_of_whose_agent_it_is() -> None:
    own = DECISION | {"agent_version_id": "acme/noter:1"}

    of_acme, _ = new_run(EVENT, own, Configuration(), QueueLimits(organisation=5), NOW)
    of_server, _ = queued(None)

    pinned = [run_document(run)["agent_version_id"] for run in (of_acme, of_server)]
    assert pinned == ["acme/noter:1", "noter:1"]


@pytest.mark.parametrize("status", [AgentStatus.PAUSED, AgentStatus.MAINTENANCE])
def test_the_status_of_its_agent_has_a_run_wait(status: AgentStatus) -> None:
    configuration = Configuration()
    configuration.replace_agents([a_version(triggered())], {"noter": status})

    run, candidate = new_run(EVENT, DECISION, configuration, QueueLimits(organisation=5), NOW)

    assert candidate is None
    assert run.waiting_for is not None
    assert (run.waiting_for["what"], run.waiting_for["key"]) == (Waiting.PAUSED, paused_key("acme", "noter"))


@pytest.mark.parametrize("limits", [{"queue_timeout_seconds": 30, "run_timeout_seconds": 90}, {}])
def test_a_run_has_the_time_that_its_agent_allows(limits: dict[str, Any]) -> None:
    spec = triggered(**limits)

    run, _ = queued(spec)

    assert (run.queue_timeout_seconds, run.run_timeout_seconds) == (
        spec.queue_timeout_seconds,
        spec.run_timeout_seconds,
    )


def test_the_delay_that_was_decided_has_a_run_wait() -> None:
    run, candidate = queued(triggered(), delay_seconds=30)

    assert candidate is None
    assert run.waiting_for == waiting_document(Waiting.DELAY, NOW, until=NOW + timedelta(seconds=30))
    assert queued(triggered())[0].waiting_for is None


def test_a_paused_agent_has_a_run_wait_for_the_binding_whatever_the_delay() -> None:
    run, candidate = queued(triggered(), PAUSED, delay_seconds=30)

    assert candidate is None
    key = paused_key("acme", "noter")
    assert run.waiting_for == waiting_document(Waiting.PAUSED, NOW, key=key, detail="paused at project")


def test_a_debounced_run_waits_for_events_even_while_its_agent_is_paused() -> None:
    run, candidate = queued(triggered(), PAUSED, debounce_seconds=30)

    assert candidate is None
    assert run.waiting_for == waiting_document(Waiting.DEBOUNCE, NOW, until=NOW + timedelta(seconds=30))


def test_an_agent_that_is_gone_by_now_has_its_run_queued_all_the_same() -> None:
    run, candidate = queued(None)

    assert candidate is not None
    assert (run.own_limits, run.queue_timeout_seconds, run.waiting_for) == (OwnLimits(), None, None)


def test_a_run_that_lacks_a_place_waits_for_it_and_one_that_lacks_none_may_be_express() -> None:
    slot = Slot("slot_1", Waiting.AGENT, "noter of acme", 2)

    assert verdict_fields(Verdict(None, is_express=True), NOW) == {"is_express": True}
    assert verdict_fields(Verdict(slot), NOW) == {
        "waiting_for": waiting_document(Waiting.AGENT, NOW, key="slot_1", detail="noter of acme")
    }
