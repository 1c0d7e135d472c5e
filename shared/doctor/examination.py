"""Asks every check, and believes only what is wrong twice: a look between two writes of one process shows half of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.doctor.checks import Check
from shared.errors import StorageUnavailable
from shared.store.inspection import Finding, Inspection


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found at a time by the database's clock; a check without an answer in time is unknown."""

    at: datetime
    findings: Mapping[str, Finding]
    unknown: Sequence[str]

    @property
    def is_clean(self) -> bool:
        return not self.unknown and not any(finding.count for finding in self.findings.values())


@dataclass(frozen=True, slots=True)
class Examination:
    """How the database is examined.

    What changed within the last `grace` is not looked at. `shown` ids are named of each check, and a check may take
    `limit_seconds`.
    """

    inspection: Inspection
    grace: timedelta
    shown: int
    limit_seconds: float
    confirm_after_seconds: float

    async def examine(self, checks: Sequence[Check]) -> Diagnosis:
        """Ask all checks, one after the other; raises StorageUnavailable when the database does not answer at all."""
        at = await self.inspection.now()
        before = at - self.grace
        first = {check.name: await self._look(check, before) for check in checks}
        suspected = [check for check in checks if (finding := first[check.name]) is not None and finding.count]
        if suspected:
            await asyncio.sleep(self.confirm_after_seconds)
        # Looked at with the same moment, so that nothing is new.
        second = {check.name: await self._look(check, before) for check in suspected}
        answers = {name: _confirmed(finding, second.get(name, finding)) for name, finding in first.items()}
        return Diagnosis(
            at,
            {name: finding for name, finding in answers.items() if finding is not None},
            [name for name, finding in answers.items() if finding is None],
        )

    async def _look(self, check: Check, before: datetime) -> Finding | None:
        try:
            return await self.inspection.look(check.probe(before), self.shown, self.limit_seconds)
        except StorageUnavailable:
            return None


def _confirmed(first: Finding | None, second: Finding | None) -> Finding | None:
    return None if first is None or second is None else first.also_in(second)
