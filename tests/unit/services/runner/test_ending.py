"""How the outcome of an attempt becomes a fenced write."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runner.ending import Endings, committed
from shared.domain.run import (
    Claim,
    Done,
    Failed,
    Outcome,
    Refused,
    RetryAfter,
    RunError,
    RunStatus,
    Usage,
    Waiting,
    may_become,
)
from shared.store.run_documents import Commit, Return
from tests.unit.shared.given import LATER, Document, a_memory_effect, a_stored_run

CLAIM = Claim("run_1", 1, "runner-1")
ERROR = RunError("model_refused", "The model declined.")
USED = Usage(12, 7, 1)


def ending(outcome: Outcome, run: Document | None = None, used: Usage = USED) -> Commit | Return:
    # Mapping an outcome needs the clock alone.
    endings = Endings(None, None, None, lambda: LATER)  # type: ignore[arg-type]  # no store is touched
    return endings._ending(run or a_stored_run(RunStatus.RUNNING), CLAIM, outcome, used)


def test_done_completes_the_run_with_its_output_and_effects() -> None:
    write = ending(Done({"summary": "well", "größe": 1}, (a_memory_effect(),)))

    assert write == Commit(
        CLAIM, RunStatus.COMPLETED, LATER, USED, '{"summary":"well","größe":1}', (a_memory_effect(),), None
    )


@pytest.mark.parametrize(
    ("outcome", "status"), [(Failed(ERROR), RunStatus.FAILED), (Refused(ERROR), RunStatus.CANCELLED)]
)
def test_failing_and_being_refused_end_the_run_with_the_error(outcome: Outcome, status: RunStatus) -> None:
    assert ending(outcome) == Commit(CLAIM, status, LATER, USED, error=ERROR)


def test_retrying_returns_the_run_to_the_queue_until_it_is_due() -> None:
    assert ending(RetryAfter(2.5, ERROR)) == Return(
        CLAIM, LATER, USED, ERROR, Waiting.RETRY, LATER + timedelta(seconds=2.5)
    )


@given(
    used=st.builds(Usage, *(st.integers(0, 99) for _ in range(3))),
    before=st.none() | st.builds(Usage, *(st.integers(0, 99) for _ in range(3))),
    outcome=st.sampled_from([Done({}), Failed(ERROR), Refused(ERROR), RetryAfter(1.0, ERROR)]),
)
def test_usage_of_earlier_attempts_is_never_forgotten(used: Usage, before: Usage | None, outcome: Outcome) -> None:
    usage = None
    if before is not None:
        usage = {
            "input_tokens": before.input_tokens,
            "output_tokens": before.output_tokens,
            "model_calls": before.model_calls,
        }

    write = ending(outcome, a_stored_run(RunStatus.RUNNING, usage=usage), used)

    assert write.usage == used.at_least(before or Usage())


@pytest.mark.parametrize("outcome", [Done({}), Failed(ERROR), Refused(ERROR), RetryAfter(1.0, ERROR)])
def test_every_end_is_one_that_a_running_run_may_have(outcome: Outcome) -> None:
    write = ending(outcome)

    status = write.status if isinstance(write, Commit) else RunStatus.QUEUED
    assert write.claim == CLAIM
    assert RunStatus.RUNNING in may_become(status)


def test_the_run_as_committed_is_what_the_write_leaves() -> None:
    run = a_stored_run(RunStatus.RUNNING)
    write = ending(Done({"summary": "well"}, (a_memory_effect(),)), run)
    assert isinstance(write, Commit)

    left = committed(run, write)

    told_and_projected = write.changes().keys() - {"output_json", "sweep_at"}
    assert {name: left[name] for name in told_and_projected} == {
        name: write.changes()[name] for name in told_and_projected
    }
