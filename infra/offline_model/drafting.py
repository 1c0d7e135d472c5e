"""Drafting a snapshot: what was found and remembered, under the headings that a reader looks for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.offline_model.findings import Kind, Reading, is_hedged, is_quotable
from infra.offline_model.notes import remembered

_MOST_LINES = 12
_NOTHING = "Nothing of these days was found."
_HEADINGS: tuple[tuple[str, tuple[Kind, ...], str], ...] = (
    ("Progress", (Kind.DONE,), ""),
    ("Decisions", (Kind.DECISION,), "decisions"),
    ("Risks", (Kind.BLOCKER,), "blockers"),
    ("Next", (Kind.PLAN, Kind.WORK, Kind.GOAL), "goals"),
)


def snapshot_drafts(reading: Reading) -> list[dict[str, Any]]:
    """Return the draft, if there is anything to say."""
    drafted = sections(reading)
    if not drafted:
        return []
    return [
        {
            "title": title(reading),
            "summary": summary(reading),
            "sections": drafted,
            "questions": questions(reading),
            "reasoning": f'Among what was found: "{drafted[0]["lines"][0]}"',
            "confidence": "medium",
        }
    ]


def title(reading: Reading) -> str:
    """Return the title that was asked for, or the days."""
    asked = _asked(reading)
    days = [str(asked[name]) for name in ("period_start", "period_end") if asked.get(name)]
    return reading.material.title.strip() or " to ".join(days) or "Snapshot"


def summary(reading: Reading) -> str:
    """Return how much there is under each heading, and the first line of all."""
    drafted = sections(reading)
    if not drafted:
        return _NOTHING
    counts = ", ".join(f"{each['heading'].lower()} {len(each['lines'])}" for each in drafted)
    return f"What was found: {counts}. First: {drafted[0]['lines'][0]}"


def sections(reading: Reading) -> list[dict[str, Any]]:
    """Return the headings under which there is something; one that the request wants first comes first."""
    filled = [{"heading": name, "lines": lines} for name, lines in _filled(reading)]
    wished = str(_asked(reading).get("instructions") or "").lower()
    return sorted(filled, key=lambda each: re.search(rf"\b{each['heading'].lower()}\b first", wished) is None)


def questions(reading: Reading) -> list[str]:
    """Return what is doubtful, which tickets nobody has, and that there is nothing where there is nothing."""
    doubts = [f'Is this so: "{each.sentence}"' for each in reading.findings if is_hedged(each.sentence)]
    open_tickets = [each for each in reading.material.tickets if not each.get("closed")]
    unowned = [f"Who takes {each['ticket_id']}?" for each in open_tickets if not each.get("assignee")]
    nothing = [] if sections(reading) or not _asked(reading) else ["What happened in these days?"]
    return [*nothing, *doubts, *unowned]


def _filled(reading: Reading) -> Iterator[tuple[str, list[str]]]:
    for name, kinds, label in _HEADINGS:
        known = remembered(reading.material, label) if label else []
        lines = [each.sentence for each in reading.of(*kinds)] + known + list(_of_tickets(name, reading))
        if lines:
            yield name, list(dict.fromkeys(lines))[:_MOST_LINES]


def _of_tickets(heading: str, reading: Reading) -> Iterator[str]:
    wanted = {"Progress": True, "Next": False}.get(heading)
    for ticket in reading.material.tickets:
        line = f"{ticket['ticket_id']}: {ticket.get('title') or ''}".strip()
        if bool(ticket.get("closed")) is wanted and is_quotable(line):
            yield line


def _asked(reading: Reading) -> Mapping[str, Any]:
    data = reading.material.data
    return data if isinstance(data, dict) else {}
