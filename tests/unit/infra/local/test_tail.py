"""Only whole lines are read, and each of them once."""

from pathlib import Path

from infra.local.tail import Tail


def _append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def test_lines_are_read_once_and_only_when_they_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    assert tail.read() == []

    _append(path, b"one\ntwo, beg")
    assert tail.read() == ["one"]

    _append(path, b"un\n")
    assert tail.read() == ["two, begun"]
    assert tail.read() == []


def test_what_was_there_before_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    _append(path, b"earlier\n")
    tail = Tail(path)

    _append(path, b"later\n")

    assert tail.read() == ["later"]


def test_bytes_that_are_no_text_do_not_stop_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)

    _append(path, b"\xff\xfe\n")

    assert len(tail.read()) == 1
