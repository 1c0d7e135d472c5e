"""What the terminal shows of the services' logs."""

import json

import pytest

from infra.local.lines import LONGEST_FACT, render


def _raw(event: str, level: str = "info", **facts: object) -> str:
    frame = {"timestamp": "2026-01-15T08:30:00Z", "service": "runner", "instance": "host-1"}
    return json.dumps({**frame, "event": event, "level": level, **facts})


def _shown(raw: str) -> str | None:
    text = render("runner-1", raw)
    return None if text is None else text.plain


def test_an_event_of_note_shows_its_facts_and_not_its_frame() -> None:
    shown = _shown(_raw("run.completed", run_id="r1", attempt=2))

    assert shown is not None
    assert shown.endswith(":30:00 runner-1      run.completed run_id=r1 attempt=2")


@pytest.mark.parametrize("event", ["service.started", "schedule.fired", "proposal.approved", "run.taken_over"])
def test_events_of_note_are_shown(event: str) -> None:
    assert _shown(_raw(event)) is not None


@pytest.mark.parametrize("event", ["sweep.finished", "lease.extended", "run.heartbeat_sent"])
def test_other_information_is_left_out(event: str) -> None:
    assert _shown(_raw(event)) is None


@pytest.mark.parametrize(("level", "style"), [("warning", "yellow"), ("error", "red"), ("critical", "bold red")])
def test_warnings_and_errors_are_always_shown_in_their_colour(level: str, style: str) -> None:
    text = render("runner-1", _raw("lease.late", level))

    assert text is not None
    assert style in {str(span.style) for span in text.spans}


def test_an_exception_is_shown_by_its_last_line() -> None:
    shown = _shown(_raw("run.broken", "error", exception="Traceback:\n  File ...\nValueError: no such doc"))

    assert shown is not None
    assert shown.endswith("run.broken (ValueError: no such doc)")


def test_a_line_that_is_no_log_line_is_shown_as_it_is() -> None:
    shown = _shown("ModuleNotFoundError: No module named [bold]'x'")

    assert shown is not None
    assert shown.endswith("ModuleNotFoundError: No module named [bold]'x'")


@pytest.mark.parametrize("raw", ["", "   "])
def test_an_empty_line_is_left_out(raw: str) -> None:
    assert _shown(raw) is None


@pytest.mark.parametrize("raw", ["[1, 2]", '"text"', '{"level": "info"}'])
def test_json_that_is_no_log_line_is_shown_as_it_is(raw: str) -> None:
    shown = _shown(raw)

    assert shown is not None
    assert shown.endswith(raw)


def test_a_long_fact_is_cut_and_stays_on_one_line() -> None:
    shown = _shown(_raw("run.failed", "warning", detail="first\nsecond " + "x" * 1_000))

    assert shown is not None
    assert "\n" not in shown
    assert len(shown.partition("detail=")[2]) == LONGEST_FACT


def test_a_line_with_a_strange_time_is_shown_without_one() -> None:
    raw = json.dumps({"event": "service.started", "timestamp": "yesterday"})

    shown = _shown(raw)

    assert shown is not None
    assert shown.split() == ["runner-1", "service.started"]
