"""`python -m infra.doctor`: checks every invariant against the database, and names what breaks it.

Exits with 0 when all hold, 1 when one does not, 2 when the database cannot be asked.
"""

import argparse
import asyncio
import sys
from datetime import timedelta
from typing import Any, Final

import orjson
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.doctor.checks import CHECKS, LIGHT
from shared.doctor.examination import Diagnosis, Examination
from shared.errors import StorageUnavailable
from shared.process import read_settings
from shared.settings import ServiceSettings
from shared.store.inspection import Inspection
from shared.store.mongo import Mongo

GRACE_SECONDS: Final = 60.0
SHOWN: Final = 10
LIMIT_SECONDS: Final = 300.0
CONFIRM_AFTER_SECONDS: Final = 1.0
CLEAN, VIOLATED, UNREACHABLE = 0, 1, 2


async def diagnose(settings: ServiceSettings, given: argparse.Namespace) -> Diagnosis:
    """Ask the database that the settings name; raises StorageUnavailable when it does not answer."""
    mongo = Mongo(settings)
    try:
        return await Examination(
            Inspection(mongo),
            grace=timedelta(seconds=given.grace_seconds),
            shown=given.show,
            limit_seconds=given.limit_seconds,
            confirm_after_seconds=CONFIRM_AFTER_SECONDS,
        ).examine(LIGHT if given.light else CHECKS)
    finally:
        mongo.close()


def as_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the diagnosis for programs; a check without an answer has no number."""
    return {
        "at": diagnosis.at.isoformat(),
        "is_clean": diagnosis.is_clean,
        "checks": {name: {"violations": found.count, "ids": found.ids} for name, found in diagnosis.findings.items()},
        "unknown": list(diagnosis.unknown),
    }


def as_table(diagnosis: Diagnosis) -> Table:
    """Return the diagnosis for people."""
    table = Table(box=box.SIMPLE, title=f"Invariants at {diagnosis.at:%Y-%m-%d %H:%M:%S} UTC", title_justify="left")
    table.add_column("check", no_wrap=True)
    table.add_column("what must hold", style="dim")
    table.add_column("violations", justify="right", no_wrap=True)
    table.add_column("ids", overflow="fold")
    for check in CHECKS:
        finding = diagnosis.findings.get(check.name)
        if finding is not None:
            ids = ", ".join(finding.ids) + (", ..." if finding.count > len(finding.ids) else "")
            style = "bold red" if finding.count else ""
            table.add_row(check.name, check.promise, Text(f"{finding.count:,}", style=style), Text(ids))
        elif check.name in diagnosis.unknown:
            table.add_row(check.name, check.promise, Text("unknown", style="yellow"), "no answer in time")
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--light", action="store_true", help="only what the scheduler looks at all the time")
    parser.add_argument(
        "--grace-seconds", type=float, default=GRACE_SECONDS, help="leave alone what is younger (%(default).0f)"
    )
    parser.add_argument("--show", type=int, default=SHOWN, metavar="N", help="ids to name of each check (%(default)s)")
    parser.add_argument(
        "--limit-seconds", type=float, default=LIMIT_SECONDS, help="longest time for one check (%(default).0f)"
    )
    return parser.parse_args()


def main() -> int:
    """Examine and print."""
    given = _arguments()
    settings = read_settings(ServiceSettings)
    try:
        diagnosis = asyncio.run(diagnose(settings, given))
    except StorageUnavailable as error:
        print(f"doctor: {error.message} (MONGODB_URL)", file=sys.stderr)
        return UNREACHABLE
    if given.json:
        print(orjson.dumps(as_json(diagnosis)).decode())
    else:
        Console(highlight=False).print(as_table(diagnosis))
    if diagnosis.unknown:
        return UNREACHABLE
    return CLEAN if diagnosis.is_clean else VIOLATED


if __name__ == "__main__":
    sys.exit(main())
