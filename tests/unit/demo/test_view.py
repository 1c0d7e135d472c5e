"""Rows, frames and lines, as text."""

from datetime import UTC, datetime

from rich.console import Console, RenderableType

from infra.demo.display import Lines, LiveTable
from infra.demo.progress import Note, Progress
from infra.demo.view import WIDTH, counts, frame, line
from tests.unit.demo.samples import checkin, run, skipped, started

AT = datetime(2026, 11, 19, 6, 45, tzinfo=UTC)


def _console() -> Console:
    return Console(width=WIDTH, force_terminal=False)


def _shown(*entries: RenderableType) -> str:
    console = _console()
    with console.capture() as captured:
        console.print(*entries)
    return captured.get()


def _three() -> Progress:
    progress = Progress()
    for id_, decision in {"one": started("run_1"), "two": skipped("project"), "three": started("run_3")}.items():
        progress.follow(checkin(id_))
        progress.decide(checkin(id_).key, [decision])
    progress.see_run(run("run_1", "completed"))
    return progress


def test_a_row_says_when_where_who_what_and_what_came_of_it() -> None:
    progress = _three()

    lines = [line(entry, progress).plain for entry in progress.entries]

    assert lines[0] == "08:30  apollo         ada           checkin.submitted      today_checkin_processor completed"
    assert lines[1].endswith("today_checkin_processor skipped by project")
    assert lines[2].endswith("today_checkin_processor queued")


def test_an_event_without_decisions_says_what_it_waits_for_or_that_nobody_listens() -> None:
    progress = Progress()
    progress.follow(checkin())

    assert line(progress.entries[0], progress).plain.endswith("waiting for the gate")

    progress.decide(checkin().key, [])
    assert line(progress.entries[0], progress).plain.endswith("no Agent listens")


def test_several_decisions_share_a_line() -> None:
    progress = Progress()
    progress.follow(checkin())

    progress.decide(checkin().key, [started("run_1"), skipped("user", "operating_pulse")])

    shown = line(progress.entries[0], progress).plain
    assert shown.endswith("today_checkin_processor queued, operating_pulse skipped by user")


def test_a_refused_event_says_why() -> None:
    progress = Progress()
    progress.follow(checkin())
    progress.events[checkin().key].refusals.append("id: it was used.")

    assert line(progress.entries[0], progress).plain.endswith("refused: id: it was used.")


def test_a_fire_has_no_time_of_the_day_that_is_played() -> None:
    progress = Progress()
    progress.follow(checkin(), is_fire=True)

    assert line(progress.entries[0], progress).plain.startswith("now ")


def test_what_people_write_is_no_markup() -> None:
    progress = Progress([Note(AT, "[red]apollo", None, "binding.changed", "[/] off")])

    assert "[red]apollo" in _shown(frame(progress, total=0, rows=5))


def test_the_frame_shows_the_latest_rows_within_its_width() -> None:
    progress = _three()

    shown = _shown(frame(progress, total=5, rows=2)).splitlines()

    assert sum("today_checkin_processor" in row for row in shown) == 2
    assert all(len(row) <= WIDTH for row in shown)
    assert "3 of 5 events" in shown[-1]


def test_counts_fit_one_line_and_tell_zeros_but_rare_ones() -> None:
    said = counts(_three(), total=60).plain

    assert said == ("3 of 60 events, 0 again, 0 fires, 1 skipped   runs: 1 queued, 0 running, 1 completed, 0 failed")


def test_lines_appear_in_their_order_as_soon_as_they_are_settled() -> None:
    progress, console = _three(), _console()
    lines = Lines(console, progress)
    progress.entries.append(Note(AT, None, "ada", "binding.changed", "off"))

    with console.capture() as before:
        lines.show()
        lines.show()
    progress.see_run(run("run_3", "failed", {"code": "late", "detail": "It took too long."}))
    with console.capture() as after:
        lines.show()

    assert [_last_word(row) for row in before.get().splitlines()] == ["completed", "project"]
    assert [_last_word(row) for row in after.get().splitlines()] == ["failed", "off"]


def test_lines_that_never_settled_are_printed_at_the_end() -> None:
    progress, console = _three(), _console()

    with console.capture() as captured, Lines(console, progress):
        pass

    assert [_last_word(row) for row in captured.get().splitlines()] == ["completed", "project", "queued"]


def test_the_live_table_ends_with_the_last_state() -> None:
    progress = _three()
    console = Console(width=WIDTH, height=30, force_terminal=True, color_system=None)

    with console.capture() as captured, LiveTable(console, progress, total=3):
        progress.see_run(run("run_3", "completed"))

    last = captured.get().rpartition("what came of it")[2]
    assert last.count("completed") == 3
    assert "queued\n" not in last


def _last_word(row: str) -> str:
    return row.rsplit(maxsplit=1)[-1]
