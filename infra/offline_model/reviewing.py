"""Looking back on what a person did: what moved, what was won, what is next."""

from collections.abc import Iterable
from typing import Any

from infra.offline_model.findings import Finding, Kind, Reading
from infra.offline_model.prose import capitalised, shortened

Noted = dict[str, str]

_QUOTED_WORDS = 25
_TITLE_WORDS = 8


def review(reading: Reading) -> str:
    """Return how much was finished and how much is blocked, with the first of both."""
    won, blocked = _won(reading), reading.of(Kind.BLOCKER)
    if not (won or blocked or _coming(reading)):
        return "Nothing new was heard of you."
    counts = f"{_counted(len(won), 'thing')} moved, {_counted(len(blocked), 'blocker')} in the way."
    first = [*(f'You wrote: "{_quoted(each)}".' for each in (*won[:1], *blocked[:1]))]
    return " ".join([counts, *first])


def session_updates(reading: Reading) -> list[dict[str, Any]]:
    """Return what today's session begins with, when anything was heard."""
    said = [*_won(reading), *reading.of(Kind.BLOCKER), *_coming(reading)]
    if not said:
        return []
    return [
        {
            "session_id": None,
            "text": review(reading),
            "items": [each["title"] for each in next_steps(reading)],
            "reasoning": f'You wrote: "{_quoted(said[0])}"',
            "confidence": "medium",
        }
    ]


def wins(reading: Reading) -> list[Noted]:
    """Return what was finished or decided."""
    return _noted(_won(reading))


def next_steps(reading: Reading) -> list[Noted]:
    """Return the blockers, then what has a date, then what was planned."""
    return _noted([*reading.of(Kind.BLOCKER), *_coming(reading)])


def _won(reading: Reading) -> list[Finding]:
    return reading.of(Kind.DONE, Kind.DECISION)


def _coming(reading: Reading) -> list[Finding]:
    return sorted(reading.of(Kind.PLAN, Kind.WORK, Kind.GOAL), key=lambda each: not each.dates)


def _noted(findings: Iterable[Finding]) -> list[Noted]:
    return [
        {
            "title": capitalised(shortened(each.sentence, _TITLE_WORDS)).rstrip("."),
            "reason": f'You wrote: "{_quoted(each)}"',
        }
        for each in findings
    ]


def _quoted(finding: Finding) -> str:
    return shortened(finding.sentence, _QUOTED_WORDS).rstrip(".")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
