"""What a user's events tell, oldest first, as a model is shown it: bounded, and what is left out is said. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from services.runner.tools.output import cut

Document = Mapping[str, Any]
Entry = dict[str, Any]

MOST_BYTES = 80_000
"""About 20,000 tokens."""
MOST_EVENTS = 1_000
_MOST_ENTRY_BYTES = 8_000


def entries_of(event: Document) -> list[Entry]:
    """Return what a stored event tells: each message of a chat turn, or the event's data as one entry."""
    told = {"accepted_at": event["accepted_at"], "type": event["type"]}
    data = orjson.loads(event["json"]).get("data")
    messages = data.get("messages") if isinstance(data, dict) else None
    if not isinstance(messages, list):
        return [{**told, "data": data}]
    return [{**told, "role": each.get("role"), "text": each.get("text")} for each in messages if isinstance(each, dict)]


def is_of_session(event: Document, session_id: str) -> bool:
    """Return whether a stored event names this session."""
    data = orjson.loads(event["json"]).get("data")
    return isinstance(data, dict) and data.get("session_id") == session_id


def history_text(latest_first: Sequence[Document], most_entries: int | None, *, has_more: bool) -> str:
    """Return the entries of these events as a JSON list, with a first line that says what is left out, if anything is.

    The newest are kept: at most `most_entries`, and as many as fit in `MOST_BYTES`. `has_more`: there are older events
    than these.
    """
    entries = list(_latest_first(latest_first))
    wanted = entries if most_entries is None else entries[:most_entries]
    kept = list(_fitting(wanted))
    left_out = len(wanted) - len(kept)
    listed = "[\n" + ",\n".join(reversed(kept)) + "\n]" if kept else "[]"
    is_cut = has_more and (most_entries is None or len(entries) < most_entries)
    if not left_out and not is_cut:
        return listed
    return f"({left_out or 'Some'}{' or more' if left_out and is_cut else ''} older entries are left out.)\n{listed}"


def _latest_first(events: Sequence[Document]) -> Iterator[Entry]:
    for event in events:
        yield from reversed(entries_of(event))


def _fitting(entries: Sequence[Entry]) -> Iterator[str]:
    room = MOST_BYTES
    for entry in entries:
        line = orjson.dumps(entry)
        if len(line) > _MOST_ENTRY_BYTES:
            line = orjson.dumps({name: entry[name] for name in ("accepted_at", "type")} | {"cut": _shortened(line)})
        room -= len(line)
        if room < 0:
            return
        yield line.decode()


def _shortened(line: bytes) -> str:
    return cut(line, _MOST_ENTRY_BYTES // 2)
