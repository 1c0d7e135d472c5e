"""Server-Sent Events as the gateway sends them: taken apart, and listened to across interruptions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.cli.errors import Unreachable
from services.cli.gateway import Gateway

RECONNECT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One event: its name, its data, and the id to go on after."""

    name: str
    data: str
    id: str


def events_in(lines: Iterable[str], last_id: str = "") -> Iterator[Sent]:
    """Yield the events in these lines; one without data has an empty name, and is there for its id alone."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if line and name:
            fields[name] = value.removeprefix(" ")
        if not line and fields:
            last_id = fields.get("id", last_id)
            yield Sent(fields.get("event", "message") if "data" in fields else "", fields.get("data", ""), last_id)
            fields = {}


def listen(gateway: Gateway, path: str, params: Mapping[str, Any], pause: Callable[[float], None]) -> Iterator[Sent]:
    """Yield events for ever, and go on after the last one whenever the connection ends.

    Raises Refused, and Unreachable when the gateway cannot be reached at first.
    """
    last_id: str | None = None
    while True:
        try:
            with gateway.lines(path, params, last_id) as lines:
                for sent in events_in(lines, last_id or ""):
                    last_id = sent.id
                    if sent.name:
                        yield sent
        except Unreachable:
            if last_id is None:
                raise
        pause(RECONNECT_SECONDS)
