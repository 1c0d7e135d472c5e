"""Who decides what waits for a person."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides, when, and why."""

    user: str
    at: datetime
    reason: str | None = None
