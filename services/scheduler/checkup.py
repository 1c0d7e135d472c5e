"""Looks now and then whether the invariants hold, as far as that can be seen without reading much."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from services.scheduler.leader import Leader
from shared.doctor.checks import LIGHT
from shared.doctor.examination import Examination
from shared.store.health import HealthStore
from shared.store.inspection import Inspection
from shared.store.mongo import Mongo

log = structlog.get_logger()

SUBJECT: Final = "invariants"
_EVERY_SECONDS = 30.0
_GRACE = timedelta(seconds=60)
_SHOWN = 5
_LIMIT_SECONDS = 1.0
_CONFIRM_AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Checkup:
    """Reports to the collection `health` while this process leads; it only reads otherwise."""

    examination: Examination
    health: HealthStore
    leader: Leader

    async def run(self) -> None:
        """Look until cancelled."""
        await self.leader.keep_doing("checkup", self.look, _EVERY_SECONDS)

    async def look(self) -> None:
        """Look once, and report how often each invariant is broken."""
        begun = time.monotonic()
        diagnosis = await self.examination.examine(LIGHT)
        took_ms = round((time.monotonic() - begun) * 1_000, 1)
        violations = {name: finding.count for name, finding in diagnosis.findings.items()}
        facts = {"at": diagnosis.at, "violations": violations, "unknown": diagnosis.unknown, "took_ms": took_ms}
        await self.health.report(SUBJECT, facts)
        for name, finding in diagnosis.findings.items():
            if finding.count:
                log.error("invariant.broken", check=name, count=finding.count, ids=finding.ids)


def make_checkup(mongo: Mongo, leader: Leader, grace: timedelta = _GRACE) -> Checkup:
    """Compose the checkup."""
    examination = Examination(Inspection(mongo), grace, _SHOWN, _LIMIT_SECONDS, _CONFIRM_AFTER_SECONDS)
    return Checkup(examination, HealthStore(mongo.database), leader)
