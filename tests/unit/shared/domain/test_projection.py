"""What follows from a committed run."""

import pytest

from shared.domain.projection import proposals_of
from shared.domain.run import RunStatus
from tests.unit.shared.given import LATER, a_memory_effect, a_stored_run, a_ticket_effect


def test_each_effect_becomes_a_pending_proposal_of_its_run() -> None:
    run = a_stored_run(RunStatus.COMPLETED, effects=[a_memory_effect(0), a_ticket_effect(1)])

    memory, ticket = proposals_of(run)

    assert (memory["kind"], ticket["kind"]) == ("memory_diff", "ticket_change")
    assert memory["_id"] != ticket["_id"]
    assert {name: memory[name] for name in ("run_id", "agent_key", "organisation", "project", "user")} == {
        "run_id": "run_1",
        "agent_key": "noter",
        "organisation": "acme",
        "project": "apollo",
        "user": "ada",
    }
    assert (memory["status"], memory["created_at"], memory["decided_at"]) == ("pending", LATER, None)
    assert (memory["base_version"], ticket["base_version"]) == (0, None)


def test_projecting_again_gives_the_same_proposals() -> None:
    run = a_stored_run(RunStatus.COMPLETED)

    assert proposals_of(run) == proposals_of(dict(run))


def test_a_dropped_effect_becomes_no_proposal_and_moves_no_id() -> None:
    kept, dropped = a_memory_effect(1), a_memory_effect(0) | {"dropped": "the memory says this already"}

    alone = proposals_of(a_stored_run(RunStatus.COMPLETED, effects=[kept]))
    beside = proposals_of(a_stored_run(RunStatus.COMPLETED, effects=[dropped, kept]))

    assert alone == beside
    assert len(beside) == 1


@pytest.mark.parametrize("run", [a_stored_run(RunStatus.FAILED), a_stored_run(RunStatus.CANCELLED, effects=None)])
def test_a_run_without_effects_asks_for_nothing(run: dict[str, object]) -> None:
    assert proposals_of(run) == []
