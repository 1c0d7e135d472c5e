from dataclasses import replace
from io import StringIO

import orjson
import pytest
from rich.console import Console, RenderableType

from infra.chaos import report
from infra.chaos.account import Account
from infra.chaos.backend import Sending
from infra.chaos.exercise import Order, Outcome
from infra.chaos.takeover import report as takeover
from infra.chaos.takeover.modes import OPEN_RUNS, Killed, Undisturbed

REPLAY = "./taskw chaos -- --seed 11"
OUTCOME = Outcome(
    order=Order(seed=11, seconds=60, per_second=200, model_share=0.1),
    faults=14,
    sending=Sending(sent=2, unanswered=3, seconds=2.0, accepted={"event-1": None, "event-2": None}),
    settled_after=1.5,
    account=Account(accepted=2, runs=2, attempts=3, calls=2, calls_repeated=1, effects=1),
    doctor=(),
    deaths=(),
    take_over_seconds=(0.5, 0.75),
)


def _shown(what: RenderableType) -> str:
    written = StringIO()
    Console(file=written, width=160).print(what)
    return written.getvalue()


def test_a_sound_exercise_says_so_with_the_command_that_repeats_it() -> None:
    shown = _shown(report.as_tables(OUTCOME, REPLAY))

    assert "nothing lost, nothing twice, nothing stuck" in shown
    assert REPLAY in shown
    assert "WRONG" not in shown


@pytest.mark.parametrize(
    ("outcome", "violation"),
    [
        (replace(OUTCOME, account=replace(OUTCOME.account, lost_runs=1)), "1 accepted events have no run"),
        (replace(OUTCOME, settled_after=None), "not at rest: nothing moved for 60 s, or it took half an hour"),
        (replace(OUTCOME, doctor=["lease_over: 1, such as run_1"]), "doctor: lease_over: 1, such as run_1"),
        (replace(OUTCOME, deaths=["gating ended unexpectedly"]), "gating ended unexpectedly"),
        (replace(OUTCOME, sending=replace(OUTCOME.sending, sent=3)), "1 events were never accepted"),
    ],
    ids=["lost", "restless", "doctor", "death", "never accepted"],
)
def test_what_is_wrong_is_shown(outcome: Outcome, violation: str) -> None:
    assert outcome.violations() == [violation]
    assert f"WRONG: {violation}" in _shown(report.as_tables(outcome, REPLAY))


def test_everything_counted_is_there_as_json() -> None:
    written = orjson.loads(orjson.dumps(report.as_json(OUTCOME, OUTCOME.order.plan())))

    assert written["order"]["seed"] == 11
    assert written["account"]["attempts"] == 3
    assert written["plan"][0]["target"]
    assert written["violations"] == []


def test_take_overs_in_time_are_no_violation() -> None:
    seen: takeover.Seen = {
        "kill": Killed([[0.5] * OPEN_RUNS, [0.6] * OPEN_RUNS]),
        "calm": Undisturbed(runs=100, taken_over=0),
    }

    assert takeover.violations(seen) == []
    assert "0.60 s" in _shown(takeover.as_tables(seen))


@pytest.mark.parametrize(
    ("seen", "violation"),
    [
        (Killed([[1.6] * OPEN_RUNS]), "kill: p99 is 1.60 s, and should be under 1.5 s"),
        (Killed([[0.5] * (OPEN_RUNS - 1)]), "kill: in 1 of 1 kills fewer than 64 runs were taken over"),
        (Undisturbed(runs=100, taken_over=2), "kill: 2 runs were taken from a runner that lives"),
    ],
    ids=["late", "missing", "false"],
)
def test_take_overs_that_are_late_missing_or_false_are_violations(seen: Killed | Undisturbed, violation: str) -> None:
    assert takeover.violations({"kill": seen}) == [violation]
    assert f"WRONG: {violation}" in _shown(takeover.as_tables({"kill": seen}))
