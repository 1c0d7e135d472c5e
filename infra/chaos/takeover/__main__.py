"""`python -m infra.chaos.takeover`: how soon runs of a killed runner run elsewhere, and whether any other is taken."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, assert_never

import orjson
import uvloop
from rich.console import Console

from infra.chaos.interruption import until_interrupted
from infra.chaos.site import Setup, Site, opened
from infra.chaos.takeover import modes
from infra.chaos.takeover.modes import Killed, Undisturbed
from infra.chaos.takeover.report import as_json, as_tables, violations
from infra.local.errors import LocalError
from infra.local.processes import ROOT

_DATA_FOLDER: Final = Path(".towpath", "takeover")


class Mode(StrEnum):
    """What is looked at; each on a fresh platform with default settings."""

    KILL = "kill"
    CALM = "calm"
    PAUSE = "pause"
    FAILOVER = "failover"


class TakeOver:
    """Looks at take-over in one mode after the other."""

    def __init__(self, given: argparse.Namespace, folder: Path, console: Console) -> None:
        self.seen: dict[str, Killed | Undisturbed] = {}
        self._given = given
        self._folder = folder
        self._console = console

    async def run(self, chosen: Sequence[Mode]) -> None:
        """Start a fresh platform for each mode, and look."""
        for mode in chosen:
            self._say(f"starting a fresh platform: {mode}")
            setup = Setup(cluster=3) if mode is Mode.FAILOVER else Setup()
            async with opened(self._folder / mode, setup) as site:
                self.seen[mode] = await self._look(mode, site)

    async def _look(self, mode: Mode, site: Site) -> Killed | Undisturbed:
        match mode:
            case Mode.KILL:
                return await modes.kill(site, self._given.kills, self._say)
            case Mode.CALM:
                return await modes.calm(site, self._given.calm * 60)
            case Mode.PAUSE:
                return await modes.pause(site, self._given.pauses, self._say)
            case Mode.FAILOVER:
                return await modes.failover(site, self._given.failovers, self._say)
            case _:
                assert_never(mode)

    def _say(self, text: str) -> None:
        self._console.print(text, style="dim", markup=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.chaos.takeover", description=__doc__)
    parser.add_argument("--only", nargs="+", type=Mode, choices=list(Mode), default=list(Mode), metavar="MODE")
    parser.add_argument("--kills", type=int, default=12, help="how often a runner is killed (%(default)s)")
    parser.add_argument("--calm", type=float, default=10.0, help="minutes of normal load (%(default)s)")
    parser.add_argument("--pauses", type=int, default=6, help="how often a runner is paused (%(default)s)")
    parser.add_argument("--failovers", type=int, default=3, help="how often a primary is killed (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured as JSON, too")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs")
    return parser.parse_args()


def main() -> int:
    """Look and print; the exit code is 1 when anything is not as promised."""
    given = _arguments()
    console = Console(highlight=False)
    parent = ROOT / _DATA_FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    looking = TakeOver(given, folder, console)
    try:
        uvloop.run(until_interrupted(looking.run(given.only)))
    except LocalError as error:
        console.print(f"The platform could not go on. {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except asyncio.CancelledError:
        console.print("interrupted; everything is stopped", style="bold")
        return 130
    finally:
        if given.keep:
            console.print(f"data and logs are in {folder}", style="dim")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    console.print(as_tables(looking.seen))
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(as_json(looking.seen), option=orjson.OPT_INDENT_2))
    return 1 if violations(looking.seen) else 0


if __name__ == "__main__":
    sys.exit(main())
