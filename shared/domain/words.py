"""How moments and counts are put into words. Pure."""

from datetime import datetime


def utc_text(moment: datetime) -> str:
    """Return a moment in UTC, to the second, as in `2026-11-20 09:00:00 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def counted(number: int, noun: str) -> str:
    """Return a number of things, as in `1 run` and `2 runs`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
