"""`towpath agents batch`, `towpath runs resume`: an Agent for many users at once."""

import sys
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.agents import PATH as AGENTS
from services.cli.agents import Key
from services.cli.batch_views import print_batch
from services.cli.errors import Unclear
from services.cli.gateway import Gateway, gateway_in
from services.cli.options import AsJson, examples
from services.cli.output import console, print_json, say
from services.cli.runs import PATH, print_children, status_of
from services.cli.values import value_of

Document = dict[str, Any]

_A_RUN = "run_a3ztj53hnut5twaiv4x6cnh3ja"
_ENDED = frozenset({"completed", "failed", "cancelled"})
_LOOK_EVERY_SECONDS = 0.5

Watch = Annotated[bool, typer.Option("--watch", help="Follow it until it has ended; 1 unless every run completed.")]


def register(agents: typer.Typer, runs: typer.Typer) -> None:
    """Add these commands to those of Agents and of runs."""
    lines = (
        "towpath agents batch progression-grader --user ada --user bob --watch",
        "towpath agents batch progression-grader --all --project apollo --size 20",
        "towpath agents batch progression-grader --filter \"member.timezone == 'Europe/Berlin'\"",
    )
    agents.command(epilog=examples(*lines))(batch)
    runs.command(epilog=examples(f"towpath runs resume {_A_RUN} --watch"))(resume)


def batch(
    context: typer.Context,
    key: Key,
    users: Annotated[
        list[str] | None, typer.Option("--user", help="For this user; may be repeated.", show_default=False)
    ] = None,
    user_filter: Annotated[
        str | None, typer.Option("--filter", help="For members of whom this CEL expression is true.")
    ] = None,
    project: Annotated[str | None, typer.Option("--project", help="In this project.")] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=1, max=1_000, help="Runs at a time; the Agent's unless given.")
    ] = None,
    input_: Annotated[str | None, typer.Option("--input", help="A JSON object that the Agent is given.")] = None,
    request_id: Annotated[str | None, typer.Option("--request-id", help="The same again is the same batch.")] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="For all members.")] = False,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Run an Agent for each of many users: one batch that has a run for each of them."""
    if sum((bool(users), user_filter is not None, all_)) != 1:
        raise Unclear("Say for whom: either --user, --all, or --filter.")
    body = {
        "users": users or None,
        "user_filter": "all" if all_ else user_filter,
        "project": project,
        "batch_size": size,
        "input": None if input_ is None else value_of(input_),
        "request_id": request_id,
    }
    gateway = gateway_in(context)
    answer = gateway.post(f"{AGENTS}/{key}/batch", body)
    run_id = answer["agent_run"]["id"]
    if watch:
        _watched(gateway, run_id, as_json=as_json)
    elif as_json:
        print_json(answer)
    else:
        say(f"{run_id} runs {key} for {answer['users_total']} users: towpath runs show {run_id}")


def resume(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A batch, by its run.", show_default=False)],
    *,
    watch: Watch = False,
    as_json: AsJson = False,
) -> None:
    """Have an ended batch start runs for the users whose last one failed, was cancelled or is missing."""
    gateway = gateway_in(context)
    run = gateway.post(f"{PATH}/{run_id}/resume")
    if watch:
        _watched(gateway, run_id, as_json=as_json)
    elif as_json:
        print_json(run)
    else:
        say(f"{run_id} is {status_of(run)}, in round {run['batch']['round']}.")


def _watched(gateway: Gateway, run_id: str, *, as_json: bool) -> None:
    run = follow_batch(gateway, run_id, time.sleep)
    if as_json:
        print_json(run)
    else:
        print_batch(run)
        print_children(gateway, run)
    if run["status"] != "completed" or run["batch"]["partial"]:
        raise typer.Exit(1)


def follow_batch(gateway: Gateway, run_id: str, pause: Callable[[float], None]) -> Document:
    """Show a bar that grows with the users who are done, until the batch has ended; into a pipe, nothing."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console(), disable=not sys.stdout.isatty()) as bar:
        task, tag, run = bar.add_task(run_id, total=None), None, None
        while True:
            seen, tag = gateway.poll(f"{PATH}/{run_id}", tag)
            run = seen or run
            if run is not None and run["batch"] is not None:
                bar.update(task, completed=run["batch"]["users_processed"], total=run["batch"]["users_total"])
            if run is not None and run["status"] in _ENDED:
                return run
            pause(_LOOK_EVERY_SECONDS)
