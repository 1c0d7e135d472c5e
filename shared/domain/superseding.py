"""Which memory diffs are superseded: an Agent that proposes anew does not leave its older proposal to be decided, too."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.domain.memory import Operation


@dataclass(frozen=True, slots=True)
class Rival:
    """A proposal of one Agent for one field, with what decides between it and others."""

    id: str
    run_id: str
    created_at: datetime
    operation: Operation
    text: str


def superseded(rivals: Iterable[Rival]) -> Mapping[str, str]:
    """Return, for proposals of one Agent for one field, which are superseded, each with the newest that does so.

    It does not matter which of them are there first: the same ones give the same answer.
    """
    newest_first = sorted(rivals, key=lambda each: (each.created_at, each.run_id, each.id), reverse=True)
    found: dict[str, str] = {}
    for place, older in enumerate(newest_first):
        newer = next((each for each in newest_first[:place] if _supersedes(each, older)), None)
        if newer is not None:
            found[older.id] = newer.id
    return found


def _supersedes(newer: Rival, older: Rival) -> bool:
    """A whole text takes the place of whatever came before; a line to append only that of the same line.

    What one run proposes stands side by side.
    """
    if newer.run_id == older.run_id:
        return False
    if newer.operation is not Operation.APPEND:
        return True
    return older.operation is Operation.APPEND and older.text == newer.text
