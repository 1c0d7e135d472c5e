"""What to do with tickets, after what was found."""

import re
from collections.abc import Iterator
from typing import Any

from infra.offline_model.findings import Finding, Kind, Reading, is_hedged
from infra.offline_model.memory import source
from infra.offline_model.prose import capitalised, shortened

_LONGEST_TITLE = 80
_CLOSED = re.compile(
    r"\b(?<!not )(?<!be )(done|finished|completed|shipped|merged|fixed|closed|resolved|released|deployed|delivered)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(r"^.*?\b(?:tickets?)\b\s*(?:for|to|about|:)?\s*", re.IGNORECASE)


def ticket_changes(reading: Reading) -> list[dict[str, Any]]:
    """Return at most one change per named ticket, and tickets to open for requests and for blockers without one."""
    changes: dict[str, dict[str, Any]] = {}
    for finding in reading.findings:
        for action, ticket, title in _changes(finding):
            changes[ticket or finding.sentence] = {
                "action": action,
                "ticket_id": ticket,
                "title": title,
                "change": capitalised(finding.sentence),
                "reasoning": f'{source(reading.material)} says: "{shortened(finding.sentence, 25)}"',
                "confidence": _confidence(finding, action),
            }
    return list(changes.values())


def _changes(finding: Finding) -> Iterator[tuple[str, str | None, str]]:
    for ticket in finding.tickets:
        closed = finding.kind is not Kind.BLOCKER and _CLOSED.search(finding.sentence) is not None
        yield "close" if closed else "update", ticket, _title(finding.sentence)
    if not finding.tickets and finding.kind is Kind.REQUEST:
        yield "open", None, _title(_REQUEST.sub("", finding.sentence) or finding.sentence)
    if not finding.tickets and finding.kind is Kind.BLOCKER:
        yield "open", None, _title(f"Unblock: {finding.sentence}")


def _title(text: str) -> str:
    plain = capitalised(text.rstrip(".!"))
    return plain if len(plain) <= _LONGEST_TITLE else plain[: _LONGEST_TITLE - 2].rsplit(" ", 1)[0] + " …"


def _confidence(finding: Finding, action: str) -> str:
    if is_hedged(finding.sentence) or (action == "open" and finding.kind is Kind.BLOCKER):
        return "low"
    return "high" if action == "close" else "medium"
