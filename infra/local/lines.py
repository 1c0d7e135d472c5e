"""Log lines of the services, made readable for the terminal."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from rich.text import Text

NOTABLE = (
    "service.",
    "event.accepted",
    "run.claimed",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "run.handed_back",
    "run.taken_over",
    "schedule.fired",
    "user.idle_detected",
    "binding.changed",
    "proposal.",
)
STYLES = {"warning": "yellow", "error": "red", "critical": "bold red"}
ALWAYS_SHOWN = frozenset(STYLES)
# Said by the line itself, or of no use to a reader.
FRAME = frozenset({"timestamp", "level", "event", "service", "instance", "exception"})
NAME_WIDTH = 13
LONGEST_FACT = 160


@dataclass(frozen=True, slots=True)
class LogLine:
    """One parsed log line."""

    event: str
    level: str
    timestamp: str
    facts: dict[str, Any]
    exception: str

    @property
    def is_notable(self) -> bool:
        """Whether a person who watches the terminal wants to see it."""
        return self.level in ALWAYS_SHOWN or self.event.startswith(NOTABLE)


def parse(raw: str) -> LogLine | None:
    """Return the parsed line, or None when it is not a structured one."""
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict) or "event" not in fields:
        return None
    facts = {key: value for key, value in fields.items() if key not in FRAME}
    level = str(fields.get("level", "info")).lower()
    exception = str(fields.get("exception", ""))
    return LogLine(str(fields["event"]), level, str(fields.get("timestamp", "")), facts, exception)


def render(name: str, raw: str) -> Text | None:
    """Return the line as shown on the terminal, or None when it is not of note; other output is shown as it is."""
    line = parse(raw)
    if line is None:
        return Text.assemble((" " * 9 + f"{name:<{NAME_WIDTH}} ", "dim"), raw) if raw.strip() else None
    if not line.is_notable:
        return None
    style = STYLES.get(line.level, "")
    text = Text.assemble(
        (f"{_clock(line.timestamp)} ", "dim"), (f"{name:<{NAME_WIDTH}} ", "cyan"), (line.event, style or "bold")
    )
    for key, value in line.facts.items():
        text.append(f" {key}=", "dim").append(_shown(value), style)
    if line.exception:
        text.append(f" ({line.exception.strip().splitlines()[-1]})", style)
    return text


def _clock(timestamp: str) -> str:
    try:
        return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return " " * 8


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_FACT else f"{text[: LONGEST_FACT - 1]}…"
