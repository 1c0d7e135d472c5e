"""The life of a run: what may follow what, and how usage adds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.run import ACTIVE, TERMINAL, TRANSITIONS, RunStatus, Usage, may_become

USAGES = st.builds(Usage, *(st.integers(0, 10**9) for _ in range(3)))


def test_every_status_is_either_active_or_terminal() -> None:
    assert ACTIVE | TERMINAL == set(RunStatus) == set(TRANSITIONS)
    assert not ACTIVE & TERMINAL


def test_nothing_follows_a_terminal_status_but_that_a_run_is_tried_again_and_a_batch_resumed() -> None:
    follows = {status: TRANSITIONS[status] for status in TERMINAL if TRANSITIONS[status]}

    assert follows == {status: {RunStatus.QUEUED} for status in TERMINAL}


@pytest.mark.parametrize("status", RunStatus)
def test_the_sources_of_a_status_are_those_whose_transitions_name_it(status: RunStatus) -> None:
    assert set(may_become(status)) == {source for source in RunStatus if status in TRANSITIONS[source]}


@pytest.mark.parametrize(
    ("status", "sources"),
    [
        (RunStatus.QUEUED, {RunStatus.RUNNING, *TERMINAL}),
        (RunStatus.RUNNING, {RunStatus.QUEUED, RunStatus.RUNNING}),
        (RunStatus.COMPLETED, {RunStatus.RUNNING}),
        (RunStatus.FAILED, {RunStatus.QUEUED, RunStatus.RUNNING}),
        (RunStatus.CANCELLED, {RunStatus.QUEUED, RunStatus.RUNNING}),
    ],
)
def test_only_a_running_run_completes_and_a_queued_one_may_be_cancelled_or_have_waited_too_long(
    status: RunStatus, sources: set[RunStatus]
) -> None:
    assert set(may_become(status)) == sources


@given(one=USAGES, other=USAGES)
def test_usage_adds_up_figure_by_figure(one: Usage, other: Usage) -> None:
    total = one.plus(other)

    assert total == other.plus(one)
    assert total.at_least(one) == total
    assert one.plus(Usage()) == one


@given(before=USAGES, more=USAGES)
def test_what_was_used_after_a_moment_is_the_rest(before: Usage, more: Usage) -> None:
    assert before.plus(more).beyond(before) == more
    assert before.beyond(before.plus(more)) == Usage()


@given(one=USAGES, other=USAGES)
def test_usage_never_shrinks_when_an_attempt_ended_early(one: Usage, other: Usage) -> None:
    kept = one.at_least(other)

    assert kept == other.at_least(one)
    assert kept.at_least(one) == kept.at_least(other) == kept
    assert kept.model_calls in {one.model_calls, other.model_calls}
