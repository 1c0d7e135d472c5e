"""Reads somebody's own events, one CloudEvent a line, and finds everything wrong with them before any is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from contracts.envelope import Event
from contracts.errors import EventRefused, FieldCode, FieldError
from contracts.registry import PLATFORM_TYPES, parse_json
from infra.demo.script import Publish, Script, batches

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class BadLine:
    """One thing wrong with one line."""

    line: int
    error: FieldError

    def __str__(self) -> str:
        field = self.error.field or "the whole line"
        return f"line {self.line}, {field}: {self.error.message}"


class RecordingRefused(Exception):
    """The file cannot be played; the text says why, line by line."""


def read_recording(path: Path, most_event_bytes: int) -> Script:
    """Return the file's events as a script, or raise `RecordingRefused`."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecordingRefused(f"{path} cannot be read: {error.strerror}.") from error
    events, bad = parse_lines(raw, most_event_bytes)
    if bad:
        raise RecordingRefused(_complaint(path, bad))
    if not events:
        raise RecordingRefused(f"{path} holds no event. Write one CloudEvent a line, as JSON.")
    steps = (Publish(batch[0].organisationid, tuple(batch)) for batch in batches(events, _organisation))
    return Script(title=path.name, steps=tuple(steps))


def parse_lines(raw: bytes, most_event_bytes: int) -> tuple[list[Event], list[BadLine]]:
    """Return the events and what is wrong with lines, numbered from 1; empty lines are left out."""
    events, bad = [], list[BadLine]()
    first_use: dict[str, tuple[int, Event]] = {}
    for number, line in enumerate(raw.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            event = parse_json(line)
        except EventRefused as refusal:
            bad.extend(BadLine(number, error) for error in refusal.errors)
            continue
        bad.extend(BadLine(number, error) for error in _objections(event, first_use, most_event_bytes))
        first_use.setdefault(event.key, (number, event))
        events.append(event)
    return events, bad


def _objections(event: Event, first_use: dict[str, tuple[int, Event]], most_bytes: int) -> Iterator[FieldError]:
    if event.type in PLATFORM_TYPES:
        yield FieldError("type", FieldCode.NOT_ALLOWED, f"Only Towpath itself publishes '{event.type}'.")
    if (size := len(event.to_json())) > most_bytes:
        message = f"The event has {size} bytes as JSON; the most is {most_bytes}."
        yield FieldError("", FieldCode.TOO_LARGE, message, most_bytes)
    line, first = first_use.get(event.key, (0, event))
    if first != event:
        message = f"'{event.id}' is another event of this source on line {line}; an event is never changed."
        yield FieldError("id", FieldCode.INVALID, message)


def _complaint(path: Path, bad: list[BadLine]) -> str:
    shown = [f"  {each}" for each in bad[:MOST_SHOWN]]
    if len(bad) > MOST_SHOWN:
        shown.append(f"  and {len(bad) - MOST_SHOWN} more")
    return "\n".join([f"{path} cannot be played, nothing was sent:", *shown])


def _organisation(event: Event) -> str:
    return event.organisationid
