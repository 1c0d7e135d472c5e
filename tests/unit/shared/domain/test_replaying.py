"""What is stored of a replay, and what its runs record of their effects."""

from shared.domain.agent_id import version_id
from shared.domain.dead_letter import letters_of_failures
from shared.domain.projection import proposals_of
from shared.domain.replaying import EFFECTS_OFF, draft_version_id, replay_id, replay_of_version, without_effects
from shared.domain.run import RunStatus
from shared.domain.run_event import run_events
from tests.unit.shared.given import a_memory_effect, a_stored_run, a_ticket_effect

REPLAY = {"id": "rpl_1", "of": "run_0"}


def test_the_effects_of_a_replay_are_recorded_and_none_becomes_a_proposal() -> None:
    why = "the memory says this already"
    recorded = without_effects([a_memory_effect(), a_ticket_effect(1), a_memory_effect(2) | {"dropped": why}])

    assert [effect["dropped"] for effect in recorded] == [EFFECTS_OFF, EFFECTS_OFF, why]
    assert recorded[0]["change"] == a_memory_effect()["change"]
    assert proposals_of(a_stored_run(RunStatus.COMPLETED, effects=list(recorded))) == []


def test_a_draft_is_found_by_the_version_that_its_runs_are_pinned_to() -> None:
    for agent in ("noter", "acme/noter"):
        replay = replay_id("acme", agent, "request-1")
        assert replay_of_version(draft_version_id(agent, replay)) == replay


def test_a_published_version_is_kept_by_no_replay() -> None:
    assert replay_of_version(version_id("", "noter", 3)) is None
    assert replay_of_version(version_id("rpl_acme", "rpl_noter", 3)) is None


def test_a_request_is_one_replay_in_each_organisation() -> None:
    assert replay_id("acme", "noter", "1") == replay_id("acme", "noter", "1")
    assert (
        len({replay_id(*each) for each in (("acme", "noter", "1"), ("other", "noter", "1"), ("acme", "noter", "2"))})
        == 3
    )


def test_a_replay_is_neither_told_nor_kept_as_a_dead_letter() -> None:
    ordinary, replayed = a_stored_run(RunStatus.FAILED), a_stored_run(RunStatus.FAILED, _id="run_2", replay=REPLAY)

    assert [message.id for message in run_events([ordinary, replayed])] == ["run_1:1:failed"]
    assert [letter.run_id for letter in letters_of_failures([ordinary, replayed])] == ["run_1"]
