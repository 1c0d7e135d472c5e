"""Which proposals are superseded: decided by when they were made, not by when they are looked at."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.memory import Operation
from shared.domain.superseding import Rival, superseded
from tests.unit.shared.given import NOW

APPEND, REPLACE = Operation.APPEND, Operation.REPLACE


def rival(number: int, operation: Operation = REPLACE, text: str = "tea", run: int | None = None) -> Rival:
    run = number if run is None else run
    return Rival(f"prp_{number}", f"run_{run}", NOW + timedelta(seconds=run), operation, text)


def test_a_whole_text_supersedes_whatever_came_before() -> None:
    assert superseded([rival(1), rival(2, APPEND), rival(3)]) == {"prp_1": "prp_3", "prp_2": "prp_3"}


def test_a_line_to_append_supersedes_only_the_same_line() -> None:
    rivals = [rival(1, REPLACE), rival(2, APPEND, "tea"), rival(3, APPEND, "milk"), rival(4, APPEND, "tea")]

    assert superseded(rivals) == {"prp_2": "prp_4"}


def test_what_one_run_proposes_stands_side_by_side() -> None:
    assert superseded([rival(1, run=7), rival(2, run=7)]) == {}


@given(st.permutations([rival(1), rival(2, APPEND), rival(3), rival(4, APPEND), rival(5, APPEND)]))
def test_the_order_in_which_they_are_seen_changes_nothing(rivals: list[Rival]) -> None:
    assert superseded(rivals) == {"prp_1": "prp_3", "prp_2": "prp_5", "prp_4": "prp_5"}
