"""`python -m infra.evals`: does the cases of the built-in Agents on a model, and scores what came of them."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from contracts.agents import AgentSpec
from infra.evals.case import Case, load_all
from infra.evals.performing import Performance, perform
from infra.evals.report import as_changes, as_tables
from infra.evals.scores import compared, results, scores_of
from infra.evals.site import Model, chosen_model, own_database, runner_handlers
from infra.evals.world import seed
from infra.local.errors import LocalError
from services.runner.work import Handler
from shared.catalog.builtin import builtin_agents
from shared.settings import ProvisionSettings, RunnerSettings

_LEAST_WIDTH = 100

Work = Sequence[tuple[AgentSpec, Case]]


def chosen(agents: Sequence[str], cases: Sequence[str]) -> Work:
    """Return each case that is wanted with its Agent; raises ValueError when there is none of that name."""
    specs = {spec.key: spec for spec in builtin_agents(ProvisionSettings().operating_background_interval_seconds)}
    loaded = load_all()
    unknown = [key for key in agents if key not in loaded]
    if unknown:
        raise ValueError(f"--agent {unknown[0]}: there are no cases of it. There are: {', '.join(loaded)}.")
    wanted = [
        (specs[key], case)
        for key, listed in loaded.items()
        for case in listed
        if (not agents or key in agents) and (not cases or case.id in cases)
    ]
    if not wanted:
        raise ValueError(f"--case {' '.join(cases)}: there is no such case.")
    return wanted


async def perform_all(work: Work, handlers: Mapping[str, Handler], parallel: int) -> list[Performance]:
    """Do all of it, so many at a time, and return the performances in the order of the work."""
    room = asyncio.Semaphore(parallel)

    async def one(spec: AgentSpec, case: Case) -> Performance:
        async with room:
            return await perform(spec, case, handlers)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(spec, case)) for spec, case in work]
    return [task.result() for task in tasks]


async def evaluate(given: argparse.Namespace, work: Work) -> tuple[Model, list[Performance]]:
    """Do the work as often as it is wanted, on the model of the settings."""
    async with chosen_model(RunnerSettings()) as model, own_database() as mongo:
        await seed(mongo.database, ((spec.key, case) for spec, case in work))
        async with runner_handlers(model, mongo) as handlers:
            return model, await perform_all([*work] * given.repeat, handlers, given.parallel)


def exit_code(performances: Sequence[Performance], threshold: float, *, is_offline: bool) -> int:
    """Return 1 when an Agent passed fewer of its cases than the threshold says; offline, only when one gave no answer."""
    scores = scores_of(performances).values()
    if is_offline:
        return int(any(score.failed_to_answer for score in scores))
    return int(any(score.pass_rate < threshold for score in scores))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.evals", description=__doc__)
    parser.add_argument("--agent", nargs="+", default=[], metavar="KEY", help="only the cases of these Agents")
    parser.add_argument("--case", nargs="+", default=[], metavar="ID", help="only these cases")
    parser.add_argument("--repeat", type=int, default=1, help="how often each case is done (%(default)s)")
    parser.add_argument("--parallel", type=int, default=4, help="how many at a time (%(default)s)")
    parser.add_argument("--threshold", type=float, default=0.8, help="least share of passed cases (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON, too")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="show them beside earlier results")
    return parser.parse_args()


def _read(path: Path | None) -> dict[str, Any] | None:
    return None if path is None else orjson.loads(path.read_bytes())


def main() -> int:
    """Evaluate and print; the exit code is 1 below the threshold, 2 when it could not begin."""
    given = _arguments()
    console = Console(highlight=False)
    console.width = max(console.width, _LEAST_WIDTH)
    try:
        work, before = chosen(given.agent, given.case), _read(given.compare)
        model, performances = asyncio.run(evaluate(given, work))
    except (LocalError, OSError, ValueError) as error:
        console.print(str(error), style="bold red", markup=False, soft_wrap=True)
        return 2
    now = results(model.name, performances)
    console.print(as_tables(performances, model.name, is_offline=model.is_offline))
    if before is not None:
        console.print(as_changes(compared(now, before), str(given.compare)))
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(now, option=orjson.OPT_INDENT_2))
    return exit_code(performances, given.threshold, is_offline=model.is_offline)


if __name__ == "__main__":
    sys.exit(main())
