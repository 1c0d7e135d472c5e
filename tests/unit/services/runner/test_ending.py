"""How the outcome of an attempt becomes a fenced write."""

from datetime import timedelta

import pytest

from services.runner.ending import CANCELLED, ending
from shared.domain.run import (
    Cancelled,
    Claim,
    Done,
    Failed,
    Outcome,
    Postponed,
    Refused,
    RetryAfter,
    RunError,
    RunStatus,
    Usage,
    Waiting,
    may_become,
)
from shared.store.run_documents import Commit, Return, committed, usage_of, waiting_document
from tests.unit.shared.given import LATER, Document, a_memory_effect, a_stored_run

CLAIM = Claim("run_1", 1, "runner-1")
ERROR = RunError("model_refused", "The model declined.")
USED = Usage(12, 7, 1)


OUTCOMES: list[Outcome] = [
    Done({}),
    Failed(ERROR),
    Failed(ERROR, {"half": 1}),
    Refused(ERROR),
    Cancelled(CANCELLED, USED),
    RetryAfter(1.0, ERROR),
    Postponed(1.0, Waiting.PROVIDER, "No room."),
    Postponed(0, Waiting.PAUSED, "paused at user", "slot_1"),
]


def written(outcome: Outcome, used: Usage = USED) -> Commit | Return:
    return ending(CLAIM, outcome, LATER, used)


def test_done_completes_the_run_with_its_output_and_effects() -> None:
    write = written(Done({"summary": "well", "größe": 1}, (a_memory_effect(),)))

    assert write == Commit(
        CLAIM, RunStatus.COMPLETED, LATER, USED, '{"summary":"well","größe":1}', effects=(a_memory_effect(),)
    )


@pytest.mark.parametrize(
    ("outcome", "status"), [(Failed(ERROR), RunStatus.FAILED), (Refused(ERROR), RunStatus.CANCELLED)]
)
def test_failing_and_being_refused_end_the_run_with_the_error(outcome: Outcome, status: RunStatus) -> None:
    assert written(outcome) == Commit(CLAIM, status, LATER, USED, error=ERROR)


def test_what_a_run_produced_before_it_failed_stays_with_it() -> None:
    assert written(Failed(ERROR, {"half": 1})) == Commit(
        CLAIM, RunStatus.FAILED, LATER, USED, output_json='{"half":1}', error=ERROR
    )


@pytest.mark.parametrize("only_if_wanted", [False, True])
def test_a_cancelled_run_says_what_it_used_after_it_was_to_end(only_if_wanted: bool) -> None:
    spent = Usage(1, 2, 1)

    assert written(Cancelled(CANCELLED, spent, only_if_wanted)) == Commit(
        CLAIM,
        RunStatus.CANCELLED,
        LATER,
        USED,
        error=CANCELLED,
        spent_after_cancel=spent,
        only_if_wanted=only_if_wanted,
    )


@pytest.mark.parametrize(
    ("effect", "why"),
    [
        ({"count": 2**63}, "a number or a text that cannot be stored"),
        ({"text": "x" * 4_000_001}, "has effects of 4000052 bytes"),
    ],
)
def test_effects_that_cannot_be_stored_fail_the_run_and_keep_its_output(effect: Document, why: str) -> None:
    write = written(Done({"summary": "well"}, ({"change": effect},)))

    assert isinstance(write, Commit)
    assert (write.status, write.output_json, write.effects) == (RunStatus.FAILED, '{"summary":"well"}', ())
    assert write.error is not None
    assert write.error.code == "output_unstorable"
    assert why in write.error.detail


def test_retrying_returns_the_run_to_the_queue_until_it_is_due() -> None:
    until = LATER + timedelta(seconds=2.5)

    assert written(RetryAfter(2.5, ERROR)) == Return(
        CLAIM, LATER, USED, ERROR, waiting_document(Waiting.RETRY, LATER, until=until, detail="model_refused")
    )


def test_postponing_returns_the_run_without_a_failure() -> None:
    until = LATER + timedelta(seconds=2.5)

    assert written(Postponed(2.5, Waiting.PROVIDER, "No room.")) == Return(
        CLAIM, LATER, USED, None, waiting_document(Waiting.PROVIDER, LATER, until=until, detail="No room.")
    )


def test_what_is_waited_for_under_a_key_has_no_time() -> None:
    write = written(Postponed(0, Waiting.PAUSED, "paused at user", "slot_1"))

    assert isinstance(write, Return)
    assert write.waiting_for == waiting_document(Waiting.PAUSED, LATER, key="slot_1", detail="paused at user")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_end_is_one_that_a_running_run_may_have(outcome: Outcome) -> None:
    write = written(outcome)

    status = write.status if isinstance(write, Commit) else RunStatus.QUEUED
    assert (write.claim, write.usage) == (CLAIM, USED)
    assert RunStatus.RUNNING in may_become(status)


@pytest.mark.parametrize("outcome", [each for each in OUTCOMES if not isinstance(each, RetryAfter | Postponed)])
def test_the_run_as_committed_is_what_the_write_leaves(outcome: Outcome) -> None:
    run = a_stored_run(RunStatus.RUNNING)
    write = written(outcome)
    assert isinstance(write, Commit)

    left = committed(run, write)

    assert left == run | write.changes()
    assert usage_of(left) == USED
