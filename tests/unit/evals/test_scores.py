"""What performances come to, beside earlier ones and beside a threshold."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console, RenderableType

from infra.evals.__main__ import chosen, exit_code
from infra.evals.case import Case
from infra.evals.judging import Judgement, Rule, Verdict
from infra.evals.performing import Performance
from infra.evals.report import OFFLINE_WARNING, as_changes, as_tables
from infra.evals.scores import compared, results, scores_of
from shared.domain.run import Usage

FOUND = Verdict(Rule.MUST, "memory_diff", held=True)
MISSED = Verdict(Rule.MUST, "ticket_change", held=False)
KEPT_OUT = Verdict(Rule.MUST_NOT, "a proposal saying /key/", held=True)


def performance(case: str, *verdicts: Verdict, agent: str = "noter", **changes: Any) -> Performance:
    return Performance(
        agent,
        Case(id=f"case-{case}", about=f"About {case}."),
        Judgement(verdicts, 2, 1),
        usage=Usage(100, 10, 2),
        **changes,
    )


def no_answer(case: str) -> Performance:
    return Performance("noter", Case(id=f"case-{case}", about=""), error="model_refused: The model declined.")


def shown(*parts: RenderableType) -> str:
    written = StringIO()
    Console(width=200, file=written).print(*parts)
    return written.getvalue()


def test_a_score_counts_what_held_and_what_it_cost() -> None:
    score = scores_of([performance("one", FOUND, KEPT_OUT), performance("two", MISSED), no_answer("three")])["noter"]

    assert (score.performances, score.passed, score.failed_to_answer) == (3, 1, 1)
    assert (score.wanted, score.found, score.forbidden, score.kept_out) == (2, 1, 1, 1)
    assert score.precision == pytest.approx(0.5)
    assert (score.model_calls, score.input_tokens, score.output_tokens) == (4, 200, 20)


def test_a_case_that_is_done_twice_says_how_often_it_passed() -> None:
    wrong = performance("one", MISSED, output={"coaching": "Hm."}, effects=({"dropped": "no such ticket"},))
    found = results("a model", [performance("one", FOUND), wrong])

    assert found["cases"] == [
        {
            "agent": "noter",
            "case": "case-one",
            "passed": 1,
            "performances": 2,
            "failures": ["missing: ticket_change"],
            "answer": {"coaching": "Hm."},
            "dropped": ["no such ticket"],
        }
    ]


def test_beside_earlier_results_it_says_which_cases_came_out_otherwise() -> None:
    earlier = [performance("one", FOUND), performance("two", MISSED), performance("three", FOUND), performance("gone")]
    before = results("old", earlier)
    now = results(
        "new",
        [
            performance("one", MISSED),
            performance("two", FOUND),
            performance("three", MISSED),
            performance("fresh", MISSED),
        ],
    )

    (change,) = compared(now, before)

    assert (change.newly_failing, change.newly_passing) == (("case-one", "case-three"), ("case-two",))
    assert change.pass_rate == pytest.approx(-1 / 3)
    assert "-33%" in shown(as_changes([change], "old.json"))


@pytest.mark.parametrize(("threshold", "code"), [(0.5, 0), (0.51, 1)])
def test_the_exit_code_tells_of_an_agent_below_the_threshold(threshold: float, code: int) -> None:
    performances = [performance("one", FOUND), performance("two", MISSED)]

    assert exit_code(performances, threshold, is_offline=False) == code


def test_offline_only_a_missing_answer_is_a_failure() -> None:
    assert exit_code([performance("one", MISSED)], 1.0, is_offline=True) == 0
    assert exit_code([no_answer("one")], 0.0, is_offline=True) == 1


def test_what_failed_is_shown_in_words_and_the_offline_model_for_what_it_is() -> None:
    text = shown(as_tables([performance("one", MISSED), no_answer("two")], "rules", is_offline=True))

    assert OFFLINE_WARNING in text.replace("\n", " ")
    assert "missing: ticket_change" in text
    assert "no answer: model_refused: The model declined." in text
    assert "2 model calls, 100 tokens in and 10 out" in text


def test_an_agent_and_a_case_are_chosen_by_name() -> None:
    ((spec, case),) = chosen(["operating_pulse"], ["nothing-known"])

    assert (spec.key, case.id) == ("operating_pulse", "nothing-known")
    with pytest.raises(ValueError, match="There are: chat_memory_reviewer"):
        chosen(["noter"], [])
    with pytest.raises(ValueError, match="no such case"):
        chosen([], ["nowhere"])
