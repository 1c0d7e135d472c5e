"""`python -m infra.soak`: lives simulated weeks under constant load, and tells whether anything grows for ever.

Exits with 0 when everything is bounded and the doctor finds nothing, else with 1.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
import orjson
from rich.console import Console

from infra.local.errors import LocalError
from infra.local.processes import ROOT
from infra.soak.calendar import Calendar
from infra.soak.load import Refused
from infra.soak.report import as_json, as_tables
from infra.soak.weeks import ProcessDied, live

_DATA_FOLDER: Final = Path(".towpath", "soak")

Result = TypeVar("Result")


async def _until_interrupted(work: Coroutine[None, None, Result]) -> Result:
    """Do the work; Ctrl-C or SIGTERM cancels it, so that it stops everything it has started."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.soak", description=__doc__)
    parser.add_argument("--days", type=int, default=14, help="simulated days (%(default)s)")
    parser.add_argument("--day-seconds", type=float, default=20.0, help="real seconds of a day (%(default)s)")
    parser.add_argument("--history-days", type=float, default=7.0, help="days that runs are kept (%(default)s)")
    parser.add_argument("--rate", type=float, default=20.0, help="events a second (%(default)s)")
    parser.add_argument("--tolerance", type=float, default=0.15, help="how much more may be there (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was seen as JSON, too")
    parser.add_argument(
        "--data-dir", type=Path, default=_DATA_FOLDER, help="where servers keep their data meanwhile (%(default)s)"
    )
    return parser.parse_args()


def main() -> int:
    """Live, print and judge."""
    given = _arguments()
    console = Console(highlight=False)
    parent = ROOT / given.data_dir
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    calendar = Calendar(given.days, given.day_seconds, given.history_days)

    def say(text: str) -> None:
        console.print(text, style="dim")

    try:
        weeks = asyncio.run(_until_interrupted(live(calendar, given.rate, given.tolerance, folder, say)))
    except (LocalError, Refused, ProcessDied, TimeoutError, aiohttp.ClientError) as error:
        console.print(f"The weeks ended early. {error!r}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except asyncio.CancelledError:
        console.print("interrupted; everything is stopped", style="bold")
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(as_tables(weeks))
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(as_json(weeks), option=orjson.OPT_INDENT_2))
    return 0 if weeks.is_bounded else 1


if __name__ == "__main__":
    sys.exit(main())
