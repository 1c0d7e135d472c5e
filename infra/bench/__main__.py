"""`python -m infra.bench`: measures a whole Towpath on this machine."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import orjson
from rich.console import Console

from infra.bench.catalogue import NAMES, SCENARIOS, chosen
from infra.bench.figures import Section
from infra.bench.load.generator import LoadFailed
from infra.bench.machine import describe
from infra.bench.processes import Disturbance
from infra.bench.report import Results, as_json, as_tables
from infra.bench.scale import FULL, QUICK, Scale
from infra.bench.scenario import Scenario
from infra.bench.site import Needs, Site, opened
from infra.local.errors import LocalError
from infra.local.processes import ROOT

_DATA_FOLDER = Path(".towpath", "bench")


class Benchmark:
    """Runs scenarios one after the other and collects what they say."""

    def __init__(self, scale: Scale, folder: Path, console: Console) -> None:
        self.sections: dict[str, Section] = {}
        self.failures: dict[str, str] = {}
        self._scale = scale
        self._folder = folder
        self._console = console

    async def run(self, groups: Sequence[tuple[Needs, Sequence[Scenario]]]) -> None:
        """Start a fresh platform for each group, and measure; a scenario that fails does not end the others."""
        for number, (needs, scenarios) in enumerate(groups):
            self._say("starting a fresh platform")
            async with opened(needs, self._scale, self._folder / str(number)) as site:
                for scenario in scenarios:
                    await self._measure(scenario, site)

    async def _measure(self, scenario: Scenario, site: Site) -> None:
        self._say(f"measuring {scenario.about}")
        disturbance = Disturbance.start(site.pids().values())
        try:
            async with asyncio.timeout(scenario.limit_seconds):
                section = await scenario.measure(site)
            self.sections[scenario.name] = replace(section, other_cores=disturbance.cores(site.pids().values()))
        except TimeoutError:
            self.failures[scenario.name] = f"not done after {scenario.limit_seconds:.0f} s"
        except (LoadFailed, AssertionError, aiohttp.ClientError) as error:
            self.failures[scenario.name] = str(error)
        for death in site.stack.deaths:
            self.failures[scenario.name] = death

    def _say(self, text: str) -> None:
        self._console.print(text, style="dim")


async def _until_interrupted(work: Coroutine[None, None, None]) -> None:
    """Do the work; Ctrl-C or SIGTERM cancels it, so that it stops everything it has started."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await task


def _arguments() -> argparse.Namespace:
    listed = "; ".join(f"{scenario.name}: {scenario.about}" for scenario in SCENARIOS)
    parser = argparse.ArgumentParser(prog="python -m infra.bench", description=__doc__, epilog=listed)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=[], metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON, too")
    parser.add_argument("--quick", action="store_true", help="smaller and less exact, in under a minute")
    parser.add_argument(
        "--data-dir", type=Path, default=_DATA_FOLDER, help="where servers keep their data meanwhile (%(default)s)"
    )
    return parser.parse_args()


def main() -> int:
    """Measure and print; the exit code is 1 when a scenario failed."""
    given = _arguments()
    console = Console(highlight=False)
    parent = ROOT / given.data_dir
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    machine = describe()
    benchmark = Benchmark(QUICK if given.quick else FULL, folder, console)
    try:
        asyncio.run(_until_interrupted(benchmark.run(chosen(given.only))))
    except LocalError as error:
        console.print(f"The benchmark could not start. {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except asyncio.CancelledError:
        console.print("interrupted; everything is stopped", style="bold")
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    results = Results(machine, benchmark.sections, benchmark.failures)
    console.print(as_tables(results))
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(as_json(results, datetime.now(UTC)), option=orjson.OPT_INDENT_2))
    return 1 if results.failures else 0


if __name__ == "__main__":
    sys.exit(main())
