"""Somebody's own events: read whole, or refused with every line and field that is wrong."""

from pathlib import Path

import orjson
import pytest

from infra.demo.recording import RecordingRefused, parse_lines, read_recording
from infra.demo.script import Publish
from tests.unit.demo.samples import checkin_json

MOST_BYTES = 10_000


def _written(folder: Path, *lines: object) -> Path:
    path = folder / "events.jsonl"
    path.write_bytes(b"\n".join(line.encode() if isinstance(line, str) else orjson.dumps(line) for line in lines))
    return path


def _refusal(folder: Path, *lines: object) -> str:
    with pytest.raises(RecordingRefused) as refused:
        read_recording(_written(folder, *lines), MOST_BYTES)
    return str(refused.value)


def test_events_are_played_in_their_order_by_organisation(tmp_path: Path) -> None:
    lines = [checkin_json("1"), checkin_json("2"), checkin_json("3", "globex"), "", checkin_json("4")]

    script = read_recording(_written(tmp_path, *lines), MOST_BYTES)

    requests = [step for step in script.steps if isinstance(step, Publish)]
    sent = [(request.organisation, [event.id for event in request.events]) for request in requests]
    assert sent == [("acme", ["1", "2"]), ("globex", ["3"]), ("acme", ["4"])]
    assert script.size == 4


def test_many_neighbours_are_sent_in_several_batches(tmp_path: Path) -> None:
    script = read_recording(_written(tmp_path, *(checkin_json(str(number)) for number in range(45))), MOST_BYTES)

    assert [len(step.events) for step in script.steps if isinstance(step, Publish)] == [20, 20, 5]


def test_every_bad_line_is_named_with_its_field(tmp_path: Path) -> None:
    without_organisation = checkin_json("2")
    del without_organisation["organisationid"]

    said = _refusal(tmp_path, checkin_json("1"), without_organisation, checkin_json("3", moood="good"), '{"id": ')

    assert "nothing was sent" in said
    assert "line 2, organisationid: 'organisationid' is missing." in said
    assert "line 3, data.moood: 'data.moood' is not a field of this event type." in said
    assert "line 4, the whole line: The event is not JSON" in said
    assert "line 1" not in said.replace("line 1 column", "")


def test_an_id_with_other_content_names_the_line_that_used_it_first(tmp_path: Path) -> None:
    said = _refusal(tmp_path, checkin_json("1"), checkin_json("2"), checkin_json("1", mood="good"))

    assert "line 3, id: '1' is another event of this source on line 1" in said


def test_the_same_event_twice_is_no_mistake() -> None:
    line = orjson.dumps(checkin_json("1"))

    events, bad = parse_lines(line + b"\r\n\r\n" + line, MOST_BYTES)

    assert (len(events), bad) == (2, [])


def test_an_event_that_only_towpath_publishes_is_refused(tmp_path: Path) -> None:
    example = Path("contracts/schemas/examples/schedule.fired.v1.json").read_bytes()

    said = _refusal(tmp_path, orjson.loads(example))

    assert "line 1, type: Only Towpath itself publishes 'schedule.fired'." in said


def test_an_event_that_is_too_large_is_refused(tmp_path: Path) -> None:
    said = _refusal(tmp_path, checkin_json("1", text="x" * MOST_BYTES))

    assert f"the most is {MOST_BYTES}" in said


def test_the_first_mistakes_are_shown_and_the_others_counted(tmp_path: Path) -> None:
    said = _refusal(tmp_path, *(["{"] * 25))

    assert said.count("\n  line ") == 20
    assert said.endswith("and 5 more")


def test_a_file_without_events_is_refused(tmp_path: Path) -> None:
    assert "holds no event" in _refusal(tmp_path, "", "  ")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingRefused, match=r"missing\.jsonl cannot be read: No such file"):
        read_recording(tmp_path / "missing.jsonl", MOST_BYTES)
