"""`python -m infra.chaos`: kills, freezes and cuts a whole Towpath under load, and shows that nothing is lost."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from secrets import randbelow

import orjson
import uvloop
from rich.console import Console

from infra.chaos.exercise import Exercise, Order, Outcome
from infra.chaos.interruption import until_interrupted
from infra.chaos.plan import Fault
from infra.chaos.report import as_json, as_tables
from infra.chaos.site import disturbed, opened
from infra.local.errors import LocalError
from infra.local.processes import ROOT
from infra.local.settings import LocalSettings

_DATA_FOLDER = Path(".towpath", "chaos")
_SEEDS = 1_000_000
_SHORT_SECONDS = 60.0


async def exercise(order: Order, folder: Path, console: Console) -> Outcome:
    """Start a platform in the folder, exercise it, and stop it."""

    def say(text: str) -> None:
        console.print(text, style="dim", markup=False)

    say("starting a fresh platform")
    async with opened(folder, disturbed(order.cluster)) as site:
        return await Exercise(site, order, say).run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="repeat the exercise of this seed (default: another one each time)")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long faults happen (%(default)s)")
    parser.add_argument("--short", action="store_true", help=f"the same as --seconds {_SHORT_SECONDS:.0f}")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second (%(default)s)")
    parser.add_argument("--model-share", type=float, default=0.1, help="share of runs that ask a model (%(default)s)")
    parser.add_argument("--plan", action="store_true", help="only show what would be broken when")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything counted as JSON, too")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs")
    return parser.parse_args()


def _order(given: argparse.Namespace) -> Order:
    seed = randbelow(_SEEDS) if given.seed is None else given.seed
    seconds = _SHORT_SECONDS if given.short else given.seconds
    return Order(seed, seconds, given.rate, given.model_share, LocalSettings().cluster)


def _replay(order: Order) -> str:
    cluster = f"CLUSTER={order.cluster} " if order.cluster > 1 else ""
    options = f"--seed {order.seed} --seconds {order.seconds:g} --rate {order.per_second:g}"
    return f"./taskw chaos {cluster}-- {options} --model-share {order.model_share:g}"


def _show_plan(plan: Sequence[Fault], console: Console) -> None:
    for fault in plan:
        console.print(f"{fault.at_second:6.1f} s  {fault.action} {fault.target} for {fault.seconds:.1f} s")


def main() -> int:
    """Exercise and print; the exit code is 1 when anything was lost, done twice or stuck."""
    given = _arguments()
    console = Console(highlight=False)
    order = _order(given)
    plan = order.plan()
    console.print(f"seed {order.seed}: {len(plan)} faults in {order.seconds:.0f} s", style="bold")
    if given.plan:
        _show_plan(plan, console)
        return 0
    parent = ROOT / _DATA_FOLDER
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    try:
        outcome = uvloop.run(until_interrupted(exercise(order, folder, console)))
    except LocalError as error:
        console.print(f"The exercise could not go on. {error}", style="bold red", markup=False, soft_wrap=True)
        return 1
    except asyncio.CancelledError:
        console.print("interrupted; everything is stopped", style="bold")
        return 130
    finally:
        if given.keep:
            console.print(f"data and logs are in {folder}", style="dim")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    console.print(as_tables(outcome, _replay(order)))
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(as_json(outcome, plan), option=orjson.OPT_INDENT_2))
    return 1 if outcome.violations() else 0


if __name__ == "__main__":
    sys.exit(main())
