"""What counts as done, as well ended, and as missing."""

from collections import Counter

import pytest

from infra.demo.progress import Progress
from tests.unit.demo.samples import Json, checkin, run, skipped, started

FAILURE = {"code": "output_invalid", "detail": "'coaching' is missing."}


def _following(*ids: str) -> Progress:
    progress = Progress()
    for id_ in ids:
        progress.follow(checkin(id_))
    return progress


def _decided(*decisions: Json) -> Progress:
    progress = _following("one")
    progress.decide(checkin("one").key, decisions)
    return progress


def test_an_event_is_followed_once() -> None:
    progress = Progress()

    assert [progress.follow(checkin()), progress.follow(checkin())] == [True, False]
    assert len(progress.entries) == 1


def test_an_event_without_an_answer_is_missing_its_decisions() -> None:
    progress = _following("one")

    assert not progress.all_settled()
    assert progress.missing() == ["checkin.submitted 'one' has no decisions"]


def test_an_event_to_which_no_agent_listens_is_settled() -> None:
    progress = _decided()

    assert progress.all_settled()
    assert progress.missing() == []


def test_a_skipped_agent_is_a_decision_and_nothing_to_wait_for() -> None:
    progress = _decided(skipped("project"))

    assert progress.all_settled()
    assert progress.outcomes() == {"skipped": 1}
    assert progress.missing() == []


def test_a_run_that_nobody_has_seen_counts_as_queued() -> None:
    progress = _decided(started("run_1"))

    assert progress.statuses() == Counter(queued=1)
    assert progress.unended_runs() == [("acme", "run_1")]
    assert progress.missing() == ["checkin.submitted 'one': today_checkin_processor was never seen to run (run_1)"]


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_that_goes_on_is_missing_its_end(status: str) -> None:
    progress = _decided(started("run_1"))

    progress.see_run(run("run_1", status))

    assert not progress.all_settled()
    assert progress.missing() == [f"checkin.submitted 'one': today_checkin_processor is still {status} (run_1)"]


def test_a_completed_run_is_a_good_end() -> None:
    progress = _decided(started("run_1"))

    progress.see_run(run("run_1", "completed"))

    assert progress.all_settled()
    assert progress.missing() == []


def test_a_failed_run_is_an_end_and_its_error_is_told() -> None:
    progress = _decided(started("run_1"))

    progress.see_run(run("run_1", "failed", FAILURE))

    assert progress.all_settled()
    assert progress.missing() == [
        "checkin.submitted 'one': today_checkin_processor failed: output_invalid: 'coaching' is missing. (run_1)"
    ]


def test_a_cancelled_run_ended_well_only_with_a_reason() -> None:
    progress = _decided(started("run_1"), started("run_2"))

    progress.see_run(run("run_1", "cancelled", {"code": "agent_disabled", "detail": "It was switched off."}))
    progress.see_run(run("run_2", "cancelled"))

    assert progress.missing() == ["checkin.submitted 'one': today_checkin_processor cancelled: no reason given (run_2)"]


def test_a_refused_event_waits_for_nothing_and_is_missing() -> None:
    progress = _following("one")

    progress.events[checkin("one").key].refusals.append("id: it was used.")

    assert progress.all_settled()
    assert progress.missing() == ["checkin.submitted 'one' was refused: id: it was used."]


def test_the_first_answer_stands_and_another_one_is_noticed() -> None:
    progress = _decided(started("run_1"))
    key = checkin("one").key

    assert progress.decide(key, [started("run_1")])
    assert not progress.decide(key, [started("run_2")])
    assert progress.events[key].run_ids == ["run_1"]


def test_runs_of_others_are_not_counted() -> None:
    progress = _decided(started("run_1"))

    progress.see_run(run("run_9", "failed", FAILURE))

    assert progress.statuses() == Counter(queued=1)
    assert progress.started_runs == []


def test_troubles_are_told_first() -> None:
    progress = _following("one")
    progress.troubles.append("the runner died")

    assert progress.missing()[0] == "the runner died"
