"""Words about processes and their logs."""

from pathlib import Path

import pytest

from infra.local.processes import describe_exit, last_lines, rotate


@pytest.mark.parametrize(
    ("exit_code", "words"), [(0, "exit code 0"), (3, "exit code 3"), (-9, "signal SIGKILL"), (-99, "signal 99")]
)
def test_an_end_is_described_by_code_or_signal(exit_code: int, words: str) -> None:
    assert describe_exit(exit_code) == words


def test_the_end_of_a_log_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    log.write_text("one\ntwo\nthree\n")

    assert last_lines(log, 2) == "two\nthree"
    assert last_lines(tmp_path / "none.log") == ""


def test_the_log_of_the_last_start_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    log = tmp_path / "runner-1.log"
    log.write_text("old")

    rotate(log)
    rotate(log)

    assert not log.exists()
    assert (tmp_path / "runner-1.previous.log").read_text() == "old"
