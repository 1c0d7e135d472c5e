"""Replays beside their originals: what is the same, what it cost, and what of it people had approved."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.comparison import Change
from shared.domain.proposal import ProposalStatus
from shared.domain.replay_report import Pair, PairResult, by_version, original_side, paired, replayed_side, summary
from shared.domain.replaying import without_effects
from shared.domain.run import RunStatus
from tests.unit.shared.given import NOW, Document, a_memory_effect, a_stored_run, a_ticket_effect

WELL = {"summary": "well", "mood": {"score": 3}}


def a_proposal(status: str, **changes: Any) -> Document:
    effect = a_memory_effect(**changes)
    return {"kind": effect["kind"], "change": effect["change"], "status": status}


def a_pair(
    old: Document,
    new: Document,
    outputs: tuple[Document | None, Document | None] = (WELL, WELL),
    proposals: tuple[Document, ...] = (),
) -> Pair:
    before = original_side(old, outputs[0], proposals)
    return paired("run_1", "run_2", before, replayed_side(new, outputs[1], before), fresh_reads=1)


def completed(**changes: Any) -> Document:
    return a_stored_run(RunStatus.COMPLETED, **changes)


def replayed(*effects: Document, **changes: Any) -> Document:
    return completed(_id="run_2", effects=list(without_effects(effects)), **changes)


def test_outputs_are_compared_field_by_field() -> None:
    other = {"summary": "well", "mood": {"score": 4}, "note": "new"}

    same, different = a_pair(completed(), replayed()), a_pair(completed(), replayed(), (WELL, other))

    assert (same.result, same.changes) == (PairResult.SAME, [])
    assert different.result is PairResult.DIFFERENT
    assert different.changes == [Change("mood.score", 3, 4), Change("note", None, "new")]


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        (RunStatus.FAILED, RunStatus.COMPLETED, PairResult.FIXED),
        (RunStatus.COMPLETED, RunStatus.FAILED, PairResult.BROKEN),
        (RunStatus.FAILED, RunStatus.FAILED, PairResult.STILL_FAILS),
        (RunStatus.COMPLETED, RunStatus.QUEUED, PairResult.OPEN),
        (RunStatus.COMPLETED, RunStatus.RUNNING, PairResult.OPEN),
        (RunStatus.QUEUED, RunStatus.COMPLETED, PairResult.OPEN),
        (RunStatus.COMPLETED, RunStatus.CANCELLED, PairResult.CANCELLED),
    ],
)
def test_runs_without_an_output_each_are_told_apart_by_how_they_ended(
    old: RunStatus, new: RunStatus, result: PairResult
) -> None:
    assert a_pair(a_stored_run(old), a_stored_run(new), (None, None)).result is result


def test_a_run_that_is_gone_leaves_a_pair_that_is_not_compared() -> None:
    new = replayed_side(replayed(a_memory_effect()), WELL, None)
    pairs = [
        paired("run_1", "run_2", None, new, 0),
        paired("run_3", "run_4", original_side(completed(), WELL, ()), None, 0),
    ]

    sums = summary(pairs)

    assert sums.results == {PairResult.GONE: 2}
    assert (sums.old.runs, sums.new.runs, sums.new.proposals) == (0, 0, 0)


def test_what_is_proposed_again_counts_as_it_was_decided() -> None:
    decided = (
        a_proposal("approved"),
        a_proposal("rejected", field="meetings"),
        a_proposal("rejected", field="lunch"),
        a_proposal("pending", field="tone"),
    )
    again = [a_memory_effect(0, current_value="afternoons"), a_memory_effect(1, field="meetings")]
    reworded = a_memory_effect(2, field="lunch", proposed_value="at one")

    pair = a_pair(completed(), replayed(*again, reworded, a_ticket_effect(3)), proposals=decided)

    assert pair.old is not None
    assert pair.new is not None
    assert pair.old.decisions == {ProposalStatus.APPROVED: 1, ProposalStatus.REJECTED: 2}
    assert pair.new.decisions == {ProposalStatus.APPROVED: 1, ProposalStatus.REJECTED: 1}
    sums = summary([pair])
    assert (sums.old.proposals, sums.old.acceptance_rate) == (4, 1 / 3)
    assert (sums.new.proposals, sums.new.acceptance_rate) == (4, 1 / 2)


def test_what_the_replay_would_not_have_proposed_is_not_counted() -> None:
    dropped = a_memory_effect() | {"dropped": "the memory says this already"}

    pair = a_pair(completed(), replayed(dropped), proposals=(a_proposal("approved"),))

    assert pair.new is not None
    assert pair.new.proposed == ()
    assert summary([pair]).new.acceptance_rate is None


def test_the_figures_of_both_sides_are_of_the_pairs_that_are_compared() -> None:
    used = {"input_tokens": 5, "output_tokens": 1, "model_calls": 2}
    slow = {"finished_at": NOW + timedelta(seconds=3), "usage": used}
    pairs = [
        a_pair(completed(), replayed(**slow)),
        a_pair(completed(finished_at=NOW + timedelta(seconds=1)), a_stored_run(RunStatus.FAILED)),
        a_pair(completed(), a_stored_run(RunStatus.RUNNING, usage=used)),
    ]

    sums = summary(pairs)

    assert sums.results == {PairResult.SAME: 1, PairResult.BROKEN: 1, PairResult.OPEN: 1}
    assert sums.fresh_reads == 3
    old, new = sums.old, sums.new
    assert (old.runs, old.completed, old.failed, old.input_tokens, old.median_latency_seconds) == (2, 2, 0, 24, 4.0)
    assert (new.runs, new.completed, new.failed, new.input_tokens, new.median_latency_seconds) == (2, 1, 1, 17, 3.0)
    assert (old.model_calls, new.model_calls, new.output_tokens) == (2, 3, 8)


def test_originals_of_several_versions_are_summed_apart() -> None:
    pairs = [a_pair(completed(agent_version=number), replayed()) for number in (1, 2, 2)]

    sums = by_version(pairs)

    assert {version: each.old.runs for version, each in sums.items()} == {2: 2, 1: 1}
    assert list(sums) == [2, 1]
