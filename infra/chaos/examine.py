"""The doctor's opinion at the end of an exercise."""

from datetime import timedelta
from typing import Final

from shared.doctor.checks import CHECKS
from shared.doctor.examination import Examination
from shared.store.inspection import Inspection
from shared.store.mongo import Mongo

_CHECK_SECONDS: Final = 60.0
_SHOWN: Final = 5
_CONFIRM_AFTER_SECONDS: Final = 1.0


async def complaints(mongo: Mongo) -> list[str]:
    """Return what the doctor finds wrong with a database that has come to rest."""
    examination = Examination(Inspection(mongo), timedelta(0), _SHOWN, _CHECK_SECONDS, _CONFIRM_AFTER_SECONDS)
    diagnosis = await examination.examine(CHECKS)
    found = {name: finding for name, finding in diagnosis.findings.items() if finding.count}
    return [
        *(f"{name}: {finding.count}, such as {', '.join(finding.ids)}" for name, finding in found.items()),
        *(f"{name}: no answer in time" for name in diagnosis.unknown),
    ]
